/**
 * The emulator that the contract is tested on: two keys, one of them temporary, and application servers without sockets.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Options } from "../../../adapters/emulator/OssEmulator.ts"
import type { Credentials } from "../../../core/model/Credentials.ts"
import type { Receiver } from "../../../core/programs/CallbackReceiver.ts"

export const owner: Credentials = { accessKeyId: "LTAIowner", accessKeySecret: Redacted.make("owner-secret") }

/** Ends one hour after the tests' clock begins. */
export const temporary: Credentials = {
  accessKeyId: "STS.temporary",
  accessKeySecret: Redacted.make("temporary-secret"),
  securityToken: Redacted.make("temporary-token"),
  expiresAt: 3_600_000
}

/** Answers with the status in the path, and the body it was sent, in JSON. */
const echo: Receiver<never> = {
  maxBodyBytes: 64 * 1024,
  handle: ({ path, headers, body }) =>
    Effect.sync(() => {
      const text = JSON.stringify({ type: headers["content-type"], body: Buffer.from(body).toString() })
      const answer = new TextEncoder().encode(path === "/text" ? "not json" : text)
      const status = Number(path.slice(1)) || 200
      return {
        status,
        headers: { "content-type": "application/json", "content-length": `${answer.length}` },
        body: answer
      }
    })
}

export const echoUrls = ["/200", "/500", "/301", "/text"].map((path) => `http://app.example.com${path}`)

export const options: Options = {
  bucket: "examplebucket",
  credentials: [owner, temporary],
  cnames: { "img.example.com": "examplebucket" },
  serviceHosts: ["oss.internal"],
  receivers: Object.fromEntries(echoUrls.map((url) => [url, echo])),
  limits: { maxBody: 1024 * 1024 }
}
