/** BrowserUpload: the same uploads as Effects, with typed errors, interruption and typed answers. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Answer } from "../../../adapters/browser/Answer.ts"
import * as BrowserUpload from "../../../adapters/browser/BrowserUpload.ts"
import type * as Send from "../../../adapters/browser/Send.ts"
import { UploadFailed } from "../../../adapters/browser/UploadFailed.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import type { UploadGrant } from "../../../core/model/UploadGrant.ts"
import * as Shop from "./Shop.ts"

const content = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8))
const fileOf = (size: number): File => new File([content(size)], "a.bin", { type: "text/x-test", lastModified: 1000 })

class LoggedOut extends Data.TaggedError("LoggedOut") {}

class Session extends Context.Tag("Session")<Session, { readonly user: string }>() {}

const answers =
  (answer: Answer | Error): Send.Send =>
  () =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)

const refused = (status: number, code: string, message = "no", headers: Record<string, string> = {}): Answer => ({
  status,
  header: (name) => headers[name] ?? null,
  text: `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>65A1</RequestId></Error>`
})

const form = (size: number): UploadGrant => ({
  _tag: "Form",
  bucket: "examplebucket",
  key: "k",
  size,
  contentType: "",
  expiresAt: 0,
  form: { url: "http://h/", fields: { callback: "x" }, bucket: "examplebucket", expiresAt: 0 }
})

describe("BrowserUpload.upload", () => {
  for (const size of [1000, 200_000, 512_345]) {
    it.scopedLive(`uploads ${size} bytes, with an answer typed by the contract`, () =>
      Effect.gen(function* () {
        const { complete, grant, renew } = yield* Shop.open({ callback: Shop.Stored({ user: "u" }) })
        const file = fileOf(size)
        const sent: Array<number> = []
        const { callback, crc64 } = yield* BrowserUpload.upload(
          Effect.promise(() => grant(file)),
          file,
          {
            callback: Shop.Stored,
            onProgress: (progress) => Effect.sync(() => sent.push(progress.sent)),
            renew: (ticket, parts) => Effect.promise(() => renew(ticket, parts)),
            complete: (ticket, parts) => Effect.promise(() => complete(ticket, parts))
          }
        )
        assert.strictEqual(callback.id, `u/k.bin/${size}`)
        assert.strictEqual(crc64, Crc64.of(content(size)))
        assert.strictEqual(sent.at(-1), size)
      })
    )
  }

  it.scopedLive("gives the page's own errors as they are, and its effects what they need", () =>
    Effect.gen(function* () {
      const users: Array<string> = []
      const ask = Effect.flatMap(Session, ({ user }) => {
        users.push(user)
        return new LoggedOut()
      })
      const error = yield* Effect.flip(BrowserUpload.upload(ask, fileOf(3)))
      assert.instanceOf(error, LoggedOut)
      assert.deepStrictEqual(users, ["u_1"])
      const died = yield* Effect.exit(BrowserUpload.upload(Effect.dieMessage("bug"), fileOf(3)))
      assert.include(String(died), "bug")
    }).pipe(Effect.provideService(Session, { user: "u_1" }))
  )

  const outcomes: ReadonlyArray<readonly [string, Answer | Error, object]> = [
    [
      "a refusal",
      refused(403, "AccessDenied"),
      { _tag: "ServiceError", status: 403, code: "AccessDenied", requestId: "65A1" }
    ],
    [
      "a lost connection",
      new UploadFailed("Network", "x"),
      { _tag: "TransportError", reason: "Reset", sent: "unknown" }
    ],
    ["a stall", new UploadFailed("Stalled", "x"), { _tag: "TransportError", reason: "Timeout" }],
    ["a changed file", new UploadFailed("Changed", "x"), { _tag: "SourceError", reason: "Changed", source: "a.bin" }],
    ["other bytes", refused(200, "", "", { "x-oss-hash-crc64ecma": "7" }), { _tag: "Crc64Mismatch", server: 7n }],
    [
      "a failed callback",
      refused(203, "CallbackFailed", "Error status : 502."),
      { _tag: "CallbackFailed", reason: "BadStatus" }
    ],
    ["an answer that is no JSON", refused(200, ""), { _tag: "CallbackFailed", reason: "NotJson" }],
    [
      "an answer off the contract",
      { status: 200, header: () => null, text: "{}" },
      { _tag: "CallbackFailed", reason: "OffContract" }
    ]
  ]
  for (const [what, answer, expected] of outcomes) {
    it.live(`says ${what} as the core does`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(
          BrowserUpload.upload(form(3), fileOf(3), { send: answers(answer), callback: Shop.Stored, retries: 0 })
        )
        assert.deepInclude(error, expected)
      })
    )
  }

  it.live("stops when it is interrupted", () =>
    Effect.gen(function* () {
      let stopped = false
      const send: Send.Send = ({ signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            stopped = true
            reject(signal.reason as Error)
          })
        )
      const fiber = yield* Effect.fork(BrowserUpload.upload(form(3), fileOf(3), { send }))
      yield* Effect.sleep(30)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(stopped)
    })
  )
})
