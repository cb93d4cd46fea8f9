/**
 * Presigned URLs for parts of one upload. Each takes exactly its part's bytes: the length is signed. Reaches no server.
 *
 * Source: "Signature Version 4" (additional headers),
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { InvalidParam, type CredentialsError } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { PartUrl } from "../../model/UploadGrant.ts"
import * as Signature from "../../wire/Signature.ts"
import * as Uri from "../../wire/Uri.ts"
import { OssClient } from "../OssClient.ts"
import * as Presign from "../Presign.ts"
import type * as Ticket from "./Ticket.ts"

/** URLs in the order of the numbers. Fails with `InvalidParam` for `parts` when the upload has no such part. */
export const make = (
  upload: Pick<Ticket.Facts, "key" | "uploadId" | "size" | "partSize">,
  numbers: ReadonlyArray<number>,
  expiresIn: Duration.DurationInput
): Effect.Effect<ReadonlyArray<PartUrl>, InvalidParam | CredentialsError, OssClient> =>
  Effect.gen(function* () {
    const client = yield* OssClient
    const bucket = client.publicBucket
    const key = yield* ObjectKey.make(upload.key)
    const plan = yield* PartPlan.make(upload.size, upload)
    const seconds = yield* Presign.seconds(expiresIn)
    const credentials = yield* client.credentials
    const time = yield* client.now
    const terms = { credentials, region: bucket.region, time, expiresIn: seconds }
    const expiresAt = Math.min(time + seconds * 1000, credentials.expiresAt ?? Infinity)
    const origin = `${bucket.origin}${Uri.path(bucket, key)}`

    // All parts but the last have one size, so there are at most two groups.
    const bySize = new Map<number, Array<number>>()
    for (const number of numbers) {
      const part = PartPlan.part(plan, number)
      if (Option.isNone(part)) {
        return yield* new InvalidParam({
          field: "parts",
          reason: `must be parts from 1 to ${plan.count}, got ${number}`
        })
      }
      bySize.set(part.value.size, [...(bySize.get(part.value.size) ?? []), number])
    }
    const urls = new Map<number, PartUrl>()
    for (const [size, group] of bySize) {
      const request = {
        method: "PUT",
        bucket: bucket.name,
        key,
        query: { uploadId: upload.uploadId },
        headers: { "content-length": String(size) },
        additionalHeaders: ["content-length"]
      }
      const signed = yield* Signature.presignParts(client.signer, request, terms, group)
      for (const [i, { search }] of signed.entries()) {
        const number = group[i]! // one for each of the group
        urls.set(number, { number, url: `${origin}?${search}`, expiresAt })
      }
    }
    return numbers.flatMap((number) => urls.get(number) ?? [])
  })
