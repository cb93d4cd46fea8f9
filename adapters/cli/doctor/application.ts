/**
 * Would OSS take this callback URL's answer? Asked as OSS asks, but for the signature, which only OSS can make.
 *
 * OSS waits 5 seconds, wants status 200, JSON and a Content-Length, and calls public addresses only. A receiver that verifies
 * will refuse this request: that is as it should be, and its form can be looked at all the same.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Effect from "effect/Effect"
import { lookup } from "node:dns/promises"
import * as PrivateAddress from "../../emulator/callback/PrivateAddress.ts"
import * as Check from "./Check.ts"
import * as Probe from "./Probe.ts"

/** What OSS waits for an answer, in milliseconds. */
const patience = 5000

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const addresses = (hostname: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(() =>
    lookup(hostname.replace(/^\[|\]$/g, ""), { all: true }).then(
      (found) => found.map(({ address }) => address),
      () => []
    )
  )

const place = (url: URL): Effect.Effect<Check.Check> =>
  Effect.map(addresses(url.hostname), (found) => {
    const name = "callback address"
    if (found.length === 0) return Check.fail(name, `${url.hostname} has no address`)
    const hidden = found.filter(PrivateAddress.includes)
    return hidden.length === 0
      ? Check.ok(name, `${found.join(", ")}`)
      : Check.warn(name, `${hidden.join(", ")} is not of the public internet: OSS will not call it (the emulator will)`)
  })

const form = ({ body, headers, millis, status }: Probe.Answer): Check.Check => {
  const name = "callback answer"
  const complaints = [
    ...(headers.get("content-length") === null ? ["it has no Content-Length"] : []),
    ...(isJson(body) ? [] : ["its body is not JSON"]),
    ...(Buffer.byteLength(body) > 1024 * 1024 ? ["it is longer than 1 MiB"] : []),
    ...(status >= 300 && status < 400 ? [`it redirects (${status}), which OSS does not follow`] : []),
    ...(status === 404 ? ["its status is 404: is the path right?"] : []),
    ...(status >= 500 ? [`its status is ${status}`] : [])
  ]
  if (complaints.length > 0) return Check.fail(name, `OSS would not take it: ${complaints.join("; ")}`)
  return Check.ok(name, `JSON with a Content-Length, in ${millis} ms`)
}

const guard = ({ status }: Probe.Answer): Check.Check => {
  const name = "callback guard"
  if (status === 200) return Check.warn(name, "it took a request that nobody signed: anybody can tell it of uploads")
  if (status === 401 || status === 403) return Check.ok(name, `it refuses what OSS did not sign (${status})`)
  return Check.skip(name, `its status is ${status}, which does not tell whether it verifies signatures`)
}

const body =
  "bucket=examplebucket&object=effect-oss-doctor&size=0&etag=D41D8CD98F00B204E9800998ECF8427E&mimeType=text%2Fplain"

/** Looks at a callback URL. */
export const callback = (url: URL): Effect.Effect<ReadonlyArray<Check.Check>> =>
  Effect.gen(function* () {
    const where = yield* place(url)
    const answer = yield* Effect.either(
      Probe.send(
        url.href,
        { method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body },
        patience
      )
    )
    if (answer._tag === "Left") return [where, Check.fail("callback answer", `${url.origin}: ${answer.left.reason}`)]
    return [where, form(answer.right), guard(answer.right)]
  })
