/** The contract between a process that is killed and the receiver that it tells. */
import * as Schema from "effect/Schema"
import * as Callback from "../../core/wire/Callback.ts"

export const contractAt = (url: string) =>
  Callback.make({
    url,
    bucket: "media",
    body: { object: Callback.object, etag: Callback.etag, request: Callback.reqId },
    response: Schema.Struct({ run: Schema.Number })
  })
