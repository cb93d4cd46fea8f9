/**
 * The callback that the fleet's uploads carry.
 */
import * as Schema from "effect/Schema"
import * as Callbacks from "../../../adapters/cluster/upload/Callbacks.ts"
import * as Callback from "../../../core/wire/Callback.ts"

export const bucket = "examplebucket"
export const url = "http://application.example.com/stored"

export const ObjectStored = Callback.make({
  url,
  bucket,
  body: {
    object: Callback.object,
    size: Callback.size,
    crc64: Callback.crc64,
    number: Callback.var("number", Schema.NumberFromString)
  },
  response: Schema.Struct({ number: Schema.Number })
})

export const callbacks = Callbacks.make({ stored: ObjectStored })
