/** The example without a browser: what its page sends and gets, for each kind of grant. */
import { assert, describe, it } from "@effect/vitest"
import { CallbackSignature } from "effect-oss"
import { upload, UploadFailed } from "effect-oss/browser"
import { OssEmulator } from "effect-oss/emulator"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { cors } from "./cors.ts"
import { serve } from "./server.ts"

const secret = Redacted.make("0123456789abcdef-secret")

const open = Effect.gen(function* () {
  const emulator = yield* OssEmulator.make({ bucket: "media", cors: cors("http://127.0.0.1:*") })
  const { bucket, credentials, endpoint, region } = emulator
  const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
  const { url } = yield* serve({ oss: { bucket, region, endpoint, credentials }, secret, trustedKeys: [key] })
  const post = async <A>(path: string, body: unknown): Promise<A> => {
    const response = await fetch(url + path, { method: "POST", body: JSON.stringify(body) })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(JSON.stringify(answer))
    return answer as A // as the page does: both are of one version
  }
  const send = (file: File) =>
    upload(() => post("/grant", { name: file.name, size: file.size, type: file.type }), file, {
      renew: (ticket, parts) => post("/renew", { ticket, parts }),
      complete: (ticket, parts) => post("/complete", { ticket, parts })
    }).done
  return { emulator, url, send }
})

const fileOf = (size: number, type: string, name: string) => new File([new Uint8Array(size).fill(7)], name, { type })

describe("the example of direct upload", () => {
  it.scopedLive("takes small, middle and large files, and answers with the picture's URL", () =>
    Effect.gen(function* () {
      const { send, url } = yield* open
      for (const [size, type, name] of [
        [1000, "image/png", "ü 1.png"],
        [9 * 1024 ** 2, "image/gif", "2.gif"],
        [33 * 1024 ** 2, "video/mp4", "3.mp4"]
      ] as const) {
        const { callback, verified } = yield* Effect.promise(() => send(fileOf(size, type, name)))
        const answer = callback as { readonly name: string; readonly size: number; readonly picture: string | null }
        assert.deepStrictEqual([answer.name, answer.size, verified], [name, size, true])
        if (answer.picture === null) continue
        const picture = yield* Effect.promise(() => fetch(answer.picture!))
        assert.deepStrictEqual([picture.status, picture.headers.get("content-type")], [200, type])
      }
      assert.strictEqual((yield* Effect.promise(() => fetch(url))).status, 200)
    })
  )

  it.scopedLive("refuses what is no picture and what is too large, and says which", () =>
    Effect.gen(function* () {
      const { send } = yield* open
      const large = Object.defineProperty(fileOf(1, "video/mp4", "l.mp4"), "size", { value: 3 * 1024 ** 3 })
      for (const [file, field] of [
        [fileOf(1, "text/plain", "a.txt"), "contentType"],
        [large, "size"]
      ] as const) {
        const error = yield* Effect.promise(() => send(file).catch((error: unknown) => error))
        assert.instanceOf(error, UploadFailed)
        assert.include(String(error.cause), `"field":"${field}"`)
      }
    })
  )

  it.scopedLive("never tells the keys", () =>
    Effect.gen(function* () {
      const { emulator, url } = yield* open
      const texts = yield* Effect.promise(async () => {
        const page = await (await fetch(url)).text()
        const script = await (await fetch(`${url}/page.js`)).text()
        const asked = { name: "v.mp4", size: 40_000_000, type: "video/mp4" }
        const grant = await (await fetch(`${url}/grant`, { method: "POST", body: JSON.stringify(asked) })).text()
        return page + script + grant
      })
      assert.include(texts, emulator.credentials.accessKeyId)
      assert.notInclude(texts, Redacted.value(emulator.credentials.accessKeySecret))
      assert.notInclude(texts, Redacted.value(secret))
    })
  )

  it.scopedLive("refuses what it does not understand, goes on, and ends while browsers keep their connections", () =>
    Effect.gen(function* () {
      const url = yield* Effect.scoped(
        Effect.gen(function* () {
          const { url } = yield* open
          const post = (path: string, body: string) =>
            fetch(url + path, { method: "POST", body }).then(
              ({ status }) => status,
              () => "cut off"
            )
          const statuses = yield* Effect.promise(async () => [
            await post("/grant", "{"),
            await post("/grant", '{"name":"","size":1,"type":"image/png"}'),
            await post("/renew", '{"ticket":"forged","parts":[1]}'),
            await post("/grant", JSON.stringify({ name: "x".repeat(2 ** 21), size: 1, type: "image/png" })),
            await post("/oss/file-uploaded", "object=a&size=1&bucket=media"),
            await post("/elsewhere", ""),
            (await fetch(url)).status
          ])
          assert.deepStrictEqual(statuses, [400, 400, 422, "cut off", 403, 404, 200])
          return url
        })
      )
      assert.instanceOf(yield* Effect.promise(() => fetch(url).catch((error: unknown) => error)), TypeError)
    })
  )
})
