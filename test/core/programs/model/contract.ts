/**
 * What the killed clients' uploads tell the application.
 */
import * as Schema from "effect/Schema"
import * as Callback from "../../../../core/wire/Callback.ts"

export const make = (application: string) =>
  Callback.make({
    url: `${application}/uploaded`,
    bucket: "media",
    body: { object: Callback.object, size: Callback.size, crc64: Callback.crc64 },
    response: Schema.Struct({ ok: Schema.Boolean })
  })
