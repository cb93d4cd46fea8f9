/**
 * Is OSS there, does its clock agree with ours, and does it take our signature? Reads only.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Bucket from "../../../core/model/Bucket.ts"
import type { RequestError } from "../../../core/programs/OssClient.ts"
import { OssClient } from "../../../core/programs/OssClient.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as Connection from "../Connection.ts"
import * as Check from "./Check.ts"
import * as Probe from "./Probe.ts"

/** What was found in options, environment and file, and where. Only the beginning of an ID is shown. */
export const configuration = ({ credentials, endpoint, region }: Connection.Connection): ReadonlyArray<Check.Check> => {
  const address = endpoint === undefined ? undefined : Connection.regionOf(endpoint.value)
  return [
    region === undefined
      ? Check.fail("region", "none: give --region, OSS_REGION, or region in ~/.ossutilconfig")
      : region.value.startsWith("oss-")
        ? Check.fail("region", `${region.value} is an endpoint's label; the region is ${region.value.slice(4)}`)
        : address !== undefined && address !== region.value
          ? Check.fail(
              "region",
              `${region.value} from ${region.from}, but the endpoint ${endpoint?.value} is ${address}'s`
            )
          : Check.ok("region", `${region.value} from ${region.from}`),
    ...(endpoint === undefined ? [] : [Check.ok("endpoint", `${endpoint.value} from ${endpoint.from}`)]),
    credentials === undefined
      ? Check.fail("keys", "none: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or run `ossutil config`")
      : Check.ok("keys", `${credentials.value.accessKeyId.slice(0, 8)}… from ${credentials.from}`)
  ]
}

const skew = (server: number, ours: number): Check.Check => {
  const seconds = Math.round((ours - server) / 1000)
  const words = `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"} OSS's`
  if (Math.abs(seconds) > 15 * 60) {
    return Check.fail(
      "clock",
      `${words}; OSS refuses more than 15 minutes. We learn the difference; other tools do not`
    )
  }
  return Math.abs(seconds) > 60
    ? Check.warn("clock", words)
    : Check.ok("clock", `within ${Math.max(1, Math.abs(seconds))} s of OSS's`)
}

/** Whether something answers at the bucket's address, whether it is OSS, and what time it has. */
export const reach = (bucket: Bucket.Bucket): Effect.Effect<ReadonlyArray<Check.Check>> =>
  Effect.gen(function* () {
    const answer = yield* Probe.send(`${bucket.origin}${bucket.pathPrefix}/`, { method: "GET" })
    const ours = yield* Clock.currentTimeMillis
    const server = Date.parse(answer.headers.get("date") ?? "")
    const isOss = answer.headers.has("x-oss-request-id")
    return [
      isOss
        ? Check.ok("network", `${bucket.origin} answers in ${answer.millis} ms`)
        : Check.warn(
            "network",
            `${bucket.origin} answers ${answer.status}, but not as OSS does: is a proxy in between?`
          ),
      Number.isNaN(server) ? Check.skip("clock", "the answer had no date") : skew(server, ours)
    ]
  }).pipe(
    Effect.catchAll(({ reason }) =>
      Effect.succeed([
        Check.fail("network", `${bucket.origin} cannot be reached: ${reason}`),
        Check.skip("clock", "nothing answered")
      ])
    )
  )

const advice: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: "OSS does not know this AccessKeyId",
  SignatureDoesNotMatch: "the secret is not that of the AccessKeyId; see effect-oss explain",
  NoSuchBucket: "there is no such bucket in this region",
  SecurityTokenExpired: "the security token has expired: get new keys",
  InvalidSecurityToken: "the security token does not belong to these keys",
  RequestTimeTooSkewed: "this machine's clock is off"
}

const refused = (error: RequestError): Check.Check => {
  if (error._tag !== "ServiceError") return Check.fail("signature", error.message)
  const { code, message, serverMessage } = error
  if (code === "AccessDenied" && /endpoint/i.test(serverMessage)) {
    return Check.fail("signature", `the bucket is in another region: ${serverMessage}`)
  }
  if (code === "AccessDenied") {
    return Check.warn(
      "signature",
      "taken; but these keys may not list uploads (oss:ListMultipartUploads), nor perhaps more"
    )
  }
  return Check.fail("signature", `${advice[code] ?? "refused"} (${message})`)
}

const week = 7 * 86_400_000

/** Whether OSS takes a signed request, and whether anything is left that is paid for. Needs oss:ListMultipartUploads. */
export const signed: Effect.Effect<ReadonlyArray<Check.Check>, never, OssClient> = Effect.gen(function* () {
  const client = yield* OssClient
  const { next, uploads } = yield* client.execute(MultipartOperation.listMultipartUploads(""))
  const now = yield* Clock.currentTimeMillis
  const old = uploads.filter(({ initiated }) => now - initiated > week).length
  const more = next._tag === "Some" ? " or more" : ""
  return [
    Check.ok("signature", `taken for oss://${client.bucket.name}`),
    old === 0
      ? Check.ok("uploads", `${uploads.length}${more} pending, none older than 7 days`)
      : Check.warn(
          "uploads",
          `${old}${more} pending for more than 7 days, and paid for: effect-oss uploads abort oss://${client.bucket.name} --older-than 7d`
        )
  ]
}).pipe(Effect.catchAll((error) => Effect.succeed([refused(error)])))
