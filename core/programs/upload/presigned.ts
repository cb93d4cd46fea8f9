/**
 * Upload with a presigned URL: one PutObject that somebody else has signed. Needs a transport, and no keys.
 */
import * as Effect from "effect/Effect"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import type { PresignedUrl } from "../../model/PresignedUrl.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Source } from "../../ports/Source.ts"
import type { Transport } from "../../ports/Transport.ts"
import { scopedSpanned } from "../spanned.ts"
import * as Body from "./body.ts"
import { send, type GrantedOptions, type GrantedUploadError } from "./granted.ts"

/** `Upload.presigned`, with whatever options; the types there say more. */
export const presigned = <A>(
  grant: PresignedUrl,
  source: Source,
  options: GrantedOptions<A>
): Effect.Effect<Uploaded<A>, GrantedUploadError | CallbackFailed, Transport> =>
  scopedSpanned(
    "oss.Upload.presigned",
    Effect.gen(function* () {
      if (grant.method !== "PUT") {
        return yield* new InvalidParam({ field: "grant.method", reason: `must be PUT to upload, got ${grant.method}` })
      }
      const key = yield* ObjectKey.make(grant.key)
      const { body, crc64 } = yield* Body.measured(source, yield* source.open)
      const sent = () =>
        ({
          method: "presigned",
          operation: "PutObject",
          bucket: grant.bucket,
          key,
          size: source.size,
          crc64: crc64()
        }) as const
      return yield* send(
        {
          method: "PUT",
          url: grant.url,
          headers: grant.headers,
          body,
          overhead: 0,
          carriesCallback: "x-oss-callback" in grant.headers || /[?&]callback=/.test(grant.url),
          forbidsOverwrite: grant.headers["x-oss-forbid-overwrite"] === "true",
          sent
        },
        options
      )
    })
  )
