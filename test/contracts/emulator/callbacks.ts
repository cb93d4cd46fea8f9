/**
 * What the emulator promises of callbacks: when they are sent, and what becomes of the upload's answer.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { refusal } from "./refusal.ts"

const base64 = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64")

const template =
  "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&type=${mimeType}&crc64=${crc64}&md5=${contentMd5}&operation=${operation}&ip=${clientIp}&request=${reqId}&v=${x:v}"

const config = (path: string, body = template) =>
  base64({ callbackUrl: `http://app.example.com${path}`, callbackBody: body })

const variables = base64({ "x:v": "ü" })

/** What the application server was sent. */
const sent = (answer: Client.Output): URLSearchParams =>
  new URLSearchParams((JSON.parse(answer.text) as { body: string }).body) // the echo of options.ts

// "hello world"
const facts = {
  bucket: "examplebucket",
  etag: "5EB63BBBE01EEED093CB22BB8F5ACDC3",
  size: "11",
  crc64: "5981764153023615706",
  ip: "127.0.0.1",
  v: "ü"
}

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64"
)

const echoed = (answer: Client.Output) => (JSON.parse(answer.text) as { body: string }).body // of options.ts

export const callbacks = (it: It): void => {
  describe("a callback", () => {
    it.effect("is sent for PutObject, in the headers or the query, and its answer passed on byte by byte", () =>
      Effect.gen(function* () {
        const headers = {
          "content-type": "text/plain",
          "x-oss-callback": config("/200"),
          "x-oss-callback-var": variables
        }
        const query = { callback: config("/200"), "callback-var": variables }
        const answers = [
          yield* Client.put("cb/put", "hello world", { headers }),
          yield* Client.put("cb/put", "hello world", { headers: { "content-type": "text/plain" }, query }),
          yield* Client.sendPresigned({
            method: "PUT",
            key: "cb/put",
            headers: { "content-type": "text/plain" },
            query,
            body: "hello world"
          })
        ]
        for (const answer of answers) {
          assert.strictEqual(answer.status, 200)
          assert.strictEqual(answer.headers["content-type"], "application/json")
          assert.strictEqual(answer.headers["x-oss-hash-crc64ecma"], facts.crc64)
          assert.strictEqual(answer.headers["etag"], `"${facts.etag}"`)
          const told = Object.fromEntries(sent(answer))
          assert.deepInclude(told, { ...facts, object: "cb/put", type: "text/plain", operation: "PutObject" })
          assert.strictEqual(told["request"], answer.headers["x-oss-request-id"])
        }
      })
    )

    it.effect("is sent for CompleteMultipartUpload in place of its document, and not for the requests before", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const before = (yield* oss.callbacks).length
        const headers = { "x-oss-callback": config("/200"), "x-oss-callback-var": variables }
        const begun = yield* Client.send({ method: "POST", key: "cb/multi", query: { uploads: "" }, headers })
        const uploadId = begun.xml("UploadId") ?? ""
        const query = { partNumber: "1", uploadId }
        yield* Client.send({ method: "PUT", key: "cb/multi", query, body: "hello world", headers })
        assert.strictEqual((yield* oss.callbacks).length, before)
        const all = { "x-oss-complete-all": "yes", ...headers }
        const done = yield* Client.send({ method: "POST", key: "cb/multi", query: { uploadId }, headers: all })
        const told = Object.fromEntries(sent(done))
        assert.deepInclude(told, { operation: "CompleteMultipartUpload", size: "11", md5: "", crc64: facts.crc64 })
        assert.match(told["etag"] ?? "", /^[0-9A-F]{32}-1$/)
        assert.strictEqual((yield* oss.callbacks).length, before + 1)
      })
    )

    it.effect("is sent for PostObject, with the form's x: fields, whatever status the form asks for", () =>
      Effect.gen(function* () {
        const bucket = "callback-forms"
        yield* Client.send({ method: "PUT", bucket, headers: { "x-oss-acl": "public-read-write" } })
        const fields = [
          { name: "key", value: "cb/${filename}" },
          { name: "callback", value: config("/200") },
          { name: "x:v", value: "ü" },
          { name: "success_action_status", value: "201" },
          { name: "file", filename: "f.txt", type: "text/plain", value: "hello world" }
        ]
        const answer = yield* Client.post(fields, { bucket })
        assert.strictEqual(answer.status, 200)
        const told = Object.fromEntries(sent(answer))
        assert.deepInclude(told, { ...facts, bucket, object: "cb/f.txt", operation: "PostObject", type: "text/plain" })
      })
    )

    it.effect("that fails leaves the object stored, and is answered 203", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const cases = [
          ["/500", "Error status : 500.", "0007-00000203"],
          ["/301", "Error status : 301.", "0007-00000203"],
          ["/text", "Response body is not valid json format.", "0007-00000205"]
        ] as const
        for (const [path, message, ec] of cases) {
          const key = `cb/failed${path}`
          const answer = yield* Client.put(key, "hello world", { headers: { "x-oss-callback": config(path) } })
          assert.deepStrictEqual(refusal(answer), [203, "CallbackFailed", ec])
          assert.strictEqual(answer.xml("Message"), message)
          assert.strictEqual(answer.headers["content-type"], "application/xml")
          assert.strictEqual(answer.headers["x-oss-hash-crc64ecma"], facts.crc64)
          assert.isTrue(Option.isSome(yield* oss.object(key)))
        }
      })
    )

    it.effect("that is malformed is refused before anything is stored", () =>
      Effect.gen(function* () {
        const cases = [
          ["{}", "0007-00000002"],
          [base64("no json"), "0007-00000003"],
          [base64({ callbackUrl: "ftp://a", callbackBody: "b" }), "0007-00000004"],
          [base64({ callbackUrl: "http://a" }), "0007-00000011"]
        ] as const
        for (const [callback, ec] of cases) {
          const answer = yield* Client.put("cb/bad", "x", { headers: { "x-oss-callback": callback } })
          assert.deepStrictEqual(refusal(answer), [400, "InvalidArgument", ec])
          assert.isString(answer.xml("ArgumentName"))
        }
        const twice = { headers: { "x-oss-callback": config("/200") }, query: { callback: config("/200") } }
        assert.deepStrictEqual(refusal(yield* Client.put("cb/bad", "x", twice)), [
          400,
          "InvalidArgument",
          "0007-00000027"
        ])
        assert.strictEqual((yield* Client.get("cb/bad")).status, 404)
      })
    )

    it.effect("keeps the case of a form's x: names, and knows those of headers in lower case only", () =>
      Effect.gen(function* () {
        const bucket = "callback-case"
        yield* Client.send({ method: "PUT", bucket, headers: { "x-oss-acl": "public-read-write" } })
        const body = "${x:userId}|${x:userid}|${x:USER_ID}"
        const fields = [
          { name: "key", value: "k" },
          { name: "callback", value: config("/200", body) },
          { name: "x:userId", value: "1" },
          { name: "x:USER_ID", value: "2" },
          { name: "file", value: "x" }
        ]
        assert.strictEqual(echoed(yield* Client.post(fields, { bucket })), "1||2")
        const headers = { "x-oss-callback": config("/200", body), "x-oss-callback-var": base64({ "x:userId": "1" }) }
        assert.deepStrictEqual(refusal(yield* Client.put("k", "x", { bucket, headers })), [
          400,
          "InvalidArgument",
          "0007-00000104"
        ])
      })
    )

    it.effect("knows size and format of pictures, and only of them", () =>
      Effect.gen(function* () {
        const body = "${imageInfo.width}x${imageInfo.height} ${imageInfo.format}"
        const headers = { "x-oss-callback": config("/200", body) }
        assert.strictEqual(echoed(yield* Client.put("cb/p", new Uint8Array(png), { headers })), "1x1 png")
        assert.strictEqual(echoed(yield* Client.put("cb/p", "text", { headers })), "x ")
      })
    )

    it.effect("may be named by a policy of the bucket, whose variables win", () =>
      Effect.gen(function* () {
        const bucket = "callback-policies"
        const query = { policy: "", comp: "callback" }
        const manage = (method: string, body = "") => Client.send({ method, bucket, query, body })
        const item = (name: string, callback: string, callbackVar?: string) =>
          `<PolicyItem><PolicyName>${name}</PolicyName><Callback>${callback}</Callback>${callbackVar === undefined ? "" : `<CallbackVar>${callbackVar}</CallbackVar>`}</PolicyItem>`
        const policies = (...items: ReadonlyArray<string>) =>
          `<BucketCallbackPolicy>${items.join("")}</BucketCallbackPolicy>`
        yield* Client.send({ method: "PUT", bucket, headers: { "x-oss-acl": "public-read-write" } })
        const none = [404, "BucketCallbackPolicyNotExist", ""]
        assert.deepStrictEqual(refusal(yield* manage("GET")), none)

        const fixed = base64({ "x:a": "fixed" })
        const two = policies(
          item("plain", config("/200", "${object}")),
          item("with-var", config("/200", "${x:a}${x:b}"), fixed)
        )
        assert.strictEqual((yield* manage("PUT", two)).status, 200)
        assert.include((yield* manage("GET")).text, two)
        yield* Client.send({ method: "DELETE", bucket, query: { cors: "" } })
        assert.include((yield* manage("GET")).text, two)

        const named = (callbackPolicy: string) => ({
          "x-oss-callback": base64({ callbackPolicy }),
          "x-oss-callback-var": base64({ "x:a": "mine", "x:b": "too" })
        })
        const put = (name: string) => Client.put("cb/named", "x", { bucket, headers: named(name) })
        assert.strictEqual(echoed(yield* put("plain")), "cb%2Fnamed")
        assert.strictEqual(echoed(yield* put("with-var")), "fixedtoo")
        const form = [
          { name: "key", value: "cb/form" },
          { name: "callback", value: named("with-var")["x-oss-callback"] },
          { name: "x:a", value: "mine" },
          { name: "x:b", value: "field" },
          { name: "file", value: "x" }
        ]
        assert.strictEqual(echoed(yield* Client.post(form, { bucket })), "fixedfield")
        const unknown = yield* Client.put("cb/unknown", "x", { bucket, headers: named("other") })
        assert.deepStrictEqual([unknown.status, unknown.xml("ArgumentName")], [400, "callbackPolicy"])
        assert.strictEqual((yield* Client.get("cb/unknown", { bucket })).status, 404)

        for (const [body, code] of [
          ["<no/>", "MalformedXML"],
          [policies(), "MalformedXML"],
          [policies(item("a", "")), "MalformedXML"],
          [policies(item("a", config("/200")), item("a", config("/200"))), "MalformedXML"],
          [policies(item("a", "no base64!")), "InvalidArgument"],
          [policies(item("a", config("/200"), base64({ b: "c" }))), "InvalidArgument"]
        ] as const) {
          assert.deepStrictEqual(refusal(yield* manage("PUT", body)).slice(0, 2), [400, code])
        }
        const stranger = yield* Client.send({ method: "GET", bucket, query, sign: "none" })
        assert.strictEqual(stranger.status, 403)
        assert.strictEqual((yield* manage("DELETE")).status, 204)
        assert.deepStrictEqual(refusal(yield* manage("GET")), none)
        assert.strictEqual((yield* put("plain")).status, 400)
        assert.strictEqual((yield* manage("POST")).status, 405)
      })
    )

    it.effect("is signed with a key that is served under its address, unsigned", () =>
      Effect.gen(function* () {
        const oss = yield* OssEmulator
        const answer = yield* Client.send({ path: new URL(oss.publicKeyUrl).pathname, sign: "none" })
        assert.strictEqual(answer.status, 200)
        assert.strictEqual(answer.text, oss.publicKeyPem)
        assert.match(answer.text, /^-----BEGIN PUBLIC KEY-----\n/)
      })
    )
  })
}
