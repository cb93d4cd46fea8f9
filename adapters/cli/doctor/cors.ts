/**
 * May a page of this origin upload to the bucket, and read what the library needs to read? Asked as a browser asks.
 *
 * Source: "Configure CORS", https://www.alibabacloud.com/help/en/oss/user-guide/cors-configuration; Fetch Standard.
 */
import * as Effect from "effect/Effect"
import type * as Bucket from "../../../core/model/Bucket.ts"
import * as Check from "./Check.ts"
import * as Probe from "./Probe.ts"

/** Without these, a page cannot check what was stored, nor tell OSS's support which request it was. */
const needed = ["ETag", "x-oss-request-id", "x-oss-hash-crc64ecma"]

/** What presigned uploads with a callback send, beyond what needs no permission. */
const sent = ["content-type", "x-oss-callback", "x-oss-callback-var"]

const list = (value: string | null): ReadonlyArray<string> =>
  (value ?? "").split(",").map((name) => name.trim().toLowerCase())

const preflight = (target: string, origin: string, method: string): Effect.Effect<ReadonlyArray<Check.Check>> => {
  const name = `cors ${method}`
  const headers = {
    origin,
    "access-control-request-method": method,
    ...(method === "PUT" ? { "access-control-request-headers": sent.join(", ") } : {})
  }
  return Probe.send(target, { method: "OPTIONS", headers }).pipe(
    Effect.map((answer) => {
      const allowed = answer.headers.get("access-control-allow-origin")
      if (answer.status !== 200 || (allowed !== "*" && allowed !== origin)) {
        const asked = method === "PUT" ? ` with the headers ${sent.join(", ")}` : ""
        return [Check.fail(name, `no rule of the bucket lets ${origin} ${method}${asked}`)]
      }
      const exposed = list(answer.headers.get("access-control-expose-headers"))
      const hidden = needed.filter((header) => !exposed.includes(header.toLowerCase()) && !exposed.includes("*"))
      return [
        hidden.length === 0
          ? Check.ok(name, `allowed from ${origin}`)
          : Check.warn(
              name,
              `allowed, but the rule does not expose ${hidden.join(", ")}: a page cannot verify what was stored`
            )
      ]
    }),
    Effect.catchAll(({ reason }) => Effect.succeed([Check.fail(name, reason)]))
  )
}

/** Looks at the bucket's rules for form uploads (POST) and presigned ones (PUT). */
export const cors = (bucket: Bucket.Bucket, origin: string): Effect.Effect<ReadonlyArray<Check.Check>> => {
  const at = `${bucket.origin}${bucket.pathPrefix}`
  return Effect.map(
    Effect.all([preflight(`${at}/`, origin, "POST"), preflight(`${at}/effect-oss-doctor`, origin, "PUT")]),
    (checks) => checks.flat()
  )
}
