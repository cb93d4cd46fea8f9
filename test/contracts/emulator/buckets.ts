/**
 * What the emulator promises of buckets, lists and cross-origin rules.
 */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as Client from "../../adapters/emulator/Client.ts"
import type { It } from "./it.ts"
import { refusal } from "./refusal.ts"

const all = (answer: Client.Output, element: string): ReadonlyArray<string> =>
  Array.from(answer.text.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, "g")), ([, text]) => text ?? "")

const make = (bucket: string, headers: Record<string, string> = {}, body = "") =>
  Client.send({ method: "PUT", bucket, headers, body })

const keysOf = (answer: Client.Output) => all(answer, "Key")
const prefixesOf = (answer: Client.Output) => all(answer, "Prefix").slice(1)

const list = (bucket: string, query: Record<string, string> = {}) => Client.send({ bucket, query })

const removeAll = (body: string, more: Client.Input = {}) =>
  Client.send({
    method: "POST",
    query: { delete: "" },
    body,
    headers: { "content-md5": NodeCrypto.createHash("md5").update(body).digest("base64") },
    ...more
  })

const document = (keys: ReadonlyArray<string>, quiet = false) =>
  `<Delete><Quiet>${quiet}</Quiet>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join("")}</Delete>`

export const buckets = (it: It): void => {
  describe("a bucket", () => {
    it.effect("is made, described, listed, opened and removed", () =>
      Effect.gen(function* () {
        const body = "<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>"
        assert.strictEqual((yield* make("made-bucket", { "x-oss-acl": "public-read" }, body)).status, 200)
        const again = yield* make("made-bucket")
        assert.deepStrictEqual(refusal(again), [409, "BucketAlreadyExists", "0015-00000104"])
        const info = yield* list("made-bucket", { bucketInfo: "" })
        const facts = ["Name", "Grant", "StorageClass", "Location", "Region", "CreationDate"].map(info.xml)
        assert.deepStrictEqual(facts, [
          "made-bucket",
          "public-read",
          "IA",
          "oss-cn-hangzhou",
          "cn-hangzhou",
          "1970-01-01T00:00:00.000Z"
        ])
        assert.strictEqual((yield* list("made-bucket", { location: "" })).xml("LocationConstraint"), "oss-cn-hangzhou")
        assert.strictEqual(
          (yield* Client.send({ method: "HEAD", bucket: "made-bucket" })).headers["x-oss-bucket-region"],
          "cn-hangzhou"
        )
        const acl = { method: "PUT", bucket: "made-bucket", query: { acl: "" } }
        yield* Client.send({ ...acl, headers: { "x-oss-acl": "private" } })
        assert.strictEqual((yield* list("made-bucket", { acl: "" })).xml("Grant"), "private")
        assert.strictEqual(refusal(yield* Client.send({ ...acl, headers: { "x-oss-acl": "x" } }))[1], "InvalidArgument")
        const listed = yield* Client.listBuckets({ prefix: "made-" })
        assert.deepStrictEqual(all(listed, "Name"), ["made-bucket"])
        yield* Client.put("k", "x", { bucket: "made-bucket" })
        const remove = Client.send({ method: "DELETE", bucket: "made-bucket" })
        assert.deepStrictEqual(refusal(yield* remove), [409, "BucketNotEmpty", "0015-00000301"])
        yield* Client.send({ method: "DELETE", bucket: "made-bucket", key: "k" })
        assert.strictEqual((yield* remove).status, 204)
        const gone = yield* remove
        assert.deepStrictEqual(refusal(gone), [404, "NoSuchBucket", "0015-00000101"])
        assert.strictEqual(gone.xml("BucketName"), "made-bucket")
        assert.strictEqual(refusal(yield* Client.get("k", { bucket: "made-bucket" }))[1], "NoSuchBucket")
      })
    )

    it.effect("can be made again after it was removed, and used", () =>
      Effect.gen(function* () {
        const bucket = "phoenix-bucket"
        for (const round of ["one", "two"]) {
          yield* make(bucket)
          assert.strictEqual((yield* Client.put("k", round, { bucket })).status, 200)
          assert.strictEqual((yield* Client.get("k", { bucket })).text, round)
          yield* Client.send({ method: "DELETE", bucket, key: "k" })
          assert.strictEqual((yield* Client.send({ method: "DELETE", bucket })).status, 204)
        }
      })
    )

    it.effect("has a name of 3 to 63 letters, digits and hyphens", () =>
      Effect.gen(function* () {
        for (const bucket of ["ab", "-abc", "abc-", "a_b", "Abc", "a".repeat(64)]) {
          const answer = yield* Client.send({ method: "PUT", bucket, path: `/${bucket}` })
          assert.deepStrictEqual(refusal(answer), [400, "InvalidBucketName", "0015-00000001"], bucket)
        }
      })
    )

    it.effect("has no operations that the emulator lacks, and no methods that OSS lacks", () =>
      Effect.gen(function* () {
        assert.strictEqual(refusal(yield* list("examplebucket", { lifecycle: "" }))[1], "NotImplemented")
        for (const input of [
          { method: "PATCH", key: "k" },
          { method: "POST", key: "k" },
          { method: "DELETE", path: "/" },
          { method: "PROPFIND" }
        ]) {
          assert.deepStrictEqual(refusal(yield* Client.send(input)).slice(0, 2), [405, "MethodNotAllowed"])
        }
      })
    )
  })

  describe("a list of buckets", () => {
    it.effect("goes by pages", () =>
      Effect.gen(function* () {
        for (const name of ["page-b", "page-a", "page-c"]) yield* make(name)
        const first = yield* Client.listBuckets({ prefix: "page-", "max-keys": "2" })
        assert.deepStrictEqual(all(first, "Name"), ["page-a", "page-b"])
        assert.deepStrictEqual([first.xml("IsTruncated"), first.xml("NextMarker")], ["true", "page-b"])
        const rest = yield* Client.listBuckets({ prefix: "page-", marker: "page-b" })
        assert.deepStrictEqual([all(rest, "Name"), rest.xml("IsTruncated")], [["page-c"], "false"])
      })
    )
  })

  describe("a list of objects", () => {
    const bucket = "listed-bucket"
    const keys = ["a", "a/b", "a/c/d", "a/c/e", "b", "ä", "\ufb01", "\u{1f600}"]
    const fill = Effect.gen(function* () {
      yield* make(bucket)
      for (const key of keys) yield* Client.put(key, key, { bucket })
    })

    it.effect("is in the order of UTF-8, with what is known of each object", () =>
      Effect.gen(function* () {
        yield* fill
        const listed = yield* list(bucket)
        assert.deepStrictEqual(keysOf(listed), keys)
        assert.strictEqual(listed.xml("Name"), bucket)
        assert.strictEqual(listed.xml("ETag"), '"0CC175B9C0F1B6A831C399E269772661"')
        assert.deepStrictEqual(["Size", "Type", "StorageClass", "LastModified"].map(listed.xml), [
          "1",
          "Normal",
          "Standard",
          "1970-01-01T00:00:00.000Z"
        ])
        assert.match(listed.text, /<Owner><ID>\d+<\/ID><DisplayName>\d+<\/DisplayName><\/Owner>/)
      })
    )

    it.effect("folds what has the delimiter in common", () =>
      Effect.gen(function* () {
        yield* fill
        const top = yield* list(bucket, { delimiter: "/" })
        assert.deepStrictEqual([keysOf(top), prefixesOf(top)], [keys.filter((key) => !key.includes("/")), ["a/"]])
        const below = yield* list(bucket, { delimiter: "/", prefix: "a/" })
        assert.deepStrictEqual([keysOf(below), prefixesOf(below)], [["a/b"], ["a/c/"]])
        assert.deepStrictEqual(keysOf(yield* list(bucket, { prefix: "a/c/" })), ["a/c/d", "a/c/e"])
      })
    )

    it.effect("goes by pages, in both versions, folded and not, without missing or repeating anything", () =>
      Effect.gen(function* () {
        yield* fill
        for (const delimiter of ["", "/"]) {
          const whole = yield* list(bucket, { delimiter })
          const expected = [...keysOf(whole), ...prefixesOf(whole)].sort()
          for (const size of ["1", "2", "3"]) {
            let seen: Array<string> = []
            let marker: string | undefined = ""
            while (marker !== undefined) {
              const page: Client.Output = yield* list(bucket, { delimiter, "max-keys": size, marker })
              seen.push(...keysOf(page), ...prefixesOf(page))
              marker = page.xml("NextMarker")
            }
            assert.deepStrictEqual(seen.sort(), expected)
            seen = []
            let token: string | undefined
            do {
              const more: Record<string, string> = token === undefined ? {} : { "continuation-token": token }
              const query = { "list-type": "2", delimiter, "max-keys": size, ...more }
              const page: Client.Output = yield* list(bucket, query)
              assert.strictEqual(page.xml("KeyCount"), `${keysOf(page).length + prefixesOf(page).length}`)
              seen.push(...keysOf(page), ...prefixesOf(page))
              token = page.xml("NextContinuationToken")
            } while (token !== undefined)
            assert.deepStrictEqual(seen.sort(), expected)
          }
        }
      })
    )

    it.effect("begins after a key, names owners and encodes keys when asked", () =>
      Effect.gen(function* () {
        yield* fill
        const two = yield* list(bucket, {
          "list-type": "2",
          "start-after": "a/c/d",
          "max-keys": "2",
          "fetch-owner": "true"
        })
        assert.deepStrictEqual(keysOf(two), ["a/c/e", "b"])
        assert.include(two.text, "<Owner>")
        assert.notInclude((yield* list(bucket, { "list-type": "2" })).text, "<Owner>")
        const encoded = yield* list(bucket, { "encoding-type": "url", prefix: "a/", delimiter: "/" })
        assert.deepStrictEqual([keysOf(encoded), prefixesOf(encoded)], [["a%2Fb"], ["a%2Fc%2F"]])
        assert.deepStrictEqual([encoded.xml("EncodingType"), encoded.xml("Prefix")], ["url", "a%2F"])
        for (const query of [
          { "max-keys": "0" },
          { "max-keys": "1001" },
          { "encoding-type": "x" },
          { "list-type": "2", "continuation-token": "ü" }
        ]) {
          assert.deepStrictEqual(refusal(yield* list(bucket, query)).slice(0, 2), [400, "InvalidArgument"])
        }
      })
    )
  })

  describe("a list of uploads", () => {
    it.effect("is by key and ID, goes by pages, and folds", () =>
      Effect.gen(function* () {
        const bucket = "uploads-bucket"
        yield* make(bucket)
        for (const key of ["b", "a", "a", "c/d", "c/e"])
          yield* Client.send({ method: "POST", bucket, key, query: { uploads: "" } })
        const whole = yield* list(bucket, { uploads: "" })
        assert.deepStrictEqual(keysOf(whole), ["a", "a", "b", "c/d", "c/e"])
        const ids = all(whole, "UploadId")
        assert.isTrue((ids[0] ?? "") < (ids[1] ?? ""))
        let seen: Array<string> = []
        let query: Record<string, string> = { uploads: "", "max-uploads": "1" }
        while (true) {
          const page: Client.Output = yield* list(bucket, query)
          seen.push(...all(page, "UploadId"))
          if (page.xml("IsTruncated") === "false") break
          query = {
            ...query,
            "key-marker": page.xml("NextKeyMarker") ?? "",
            "upload-id-marker": page.xml("NextUploadIdMarker") ?? ""
          }
        }
        assert.deepStrictEqual(seen, [...ids])
        seen = [...keysOf(yield* list(bucket, { uploads: "", "key-marker": "a" }))]
        assert.deepStrictEqual(seen, ["b", "c/d", "c/e"])
        const ignored = yield* list(bucket, { uploads: "", "upload-id-marker": "F" })
        assert.strictEqual(keysOf(ignored).length, 5)
        const folded = yield* list(bucket, { uploads: "", delimiter: "/", "encoding-type": "url" })
        assert.deepStrictEqual(
          [keysOf(folded), folded.text.match(/<CommonPrefixes><Prefix>c%2F<\/Prefix>/g)?.length],
          [["a", "a", "b"], 1]
        )
      })
    )
  })

  describe("DeleteMultipleObjects", () => {
    it.effect("deletes what is there, and says so unless it is to be quiet", () =>
      Effect.gen(function* () {
        for (const key of ["d/1", "d/2", "d/3&amp;"]) yield* Client.put(key.replace("&amp;", "&"), "x")
        const answer = yield* removeAll(document(["d/1", "d/nothing", "d/3&amp;"]))
        assert.deepStrictEqual([answer.status, keysOf(answer)], [200, ["d/1", "d/nothing", "d/3&#38;"]])
        const quiet = yield* removeAll(document(["d/2"], true))
        assert.deepStrictEqual([quiet.status, quiet.text], [200, ""])
        assert.deepStrictEqual(keysOf(yield* list("examplebucket", { prefix: "d/" })), [])
        const encoded = yield* removeAll(document(["d/1"]), { query: { delete: "", "encoding-type": "url" } })
        assert.deepStrictEqual([encoded.xml("Key"), encoded.xml("EncodingType")], ["d%2F1", "url"])
      })
    )

    it.effect("refuses what is no list of at most 1,000 keys, or is not what its MD5 says", () =>
      Effect.gen(function* () {
        const many = document(Array.from({ length: 1001 }, (_, i) => `k${i}`))
        for (const body of ["", "<Delete/>", "<Other/>", "<Delete><Object/></Delete>", many]) {
          assert.deepStrictEqual(refusal(yield* removeAll(body)).slice(0, 2), [400, "MalformedXML"])
        }
        const wrong = yield* removeAll(document(["a"]), { headers: { "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" } })
        assert.deepStrictEqual(refusal(wrong), [400, "InvalidDigest", "0017-00000503"])
      })
    )
  })

  describe("cross-origin rules", () => {
    const bucket = "cors-bucket"
    const rules = `<CORSConfiguration>
      <CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>POST</AllowedMethod>
        <AllowedHeader>x-oss-*</AllowedHeader><AllowedHeader>content-type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>
        <ExposeHeader>x-oss-request-id</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>
      <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`
    const set = (body: string) => Client.send({ method: "PUT", bucket, query: { cors: "" }, body })
    const preflight = (headers: Record<string, string>) =>
      Client.send({ method: "OPTIONS", bucket, key: "k", sign: "none", headers })
    const asking = { origin: "https://a.example.com", "access-control-request-method": "PUT" }

    it.effect("are set, read and removed", () =>
      Effect.gen(function* () {
        yield* make(bucket)
        assert.deepStrictEqual(refusal(yield* list(bucket, { cors: "" })).slice(0, 2), [404, "NoSuchCORSConfiguration"])
        assert.strictEqual((yield* set(rules)).status, 200)
        const read = yield* list(bucket, { cors: "" })
        assert.deepStrictEqual(all(read, "AllowedOrigin"), ["https://*.example.com", "*"])
        assert.deepStrictEqual(all(read, "MaxAgeSeconds"), ["60"])
        for (const bad of [
          "<CORSConfiguration/>",
          rules.replace("<AllowedMethod>GET</AllowedMethod>", ""),
          rules.replace("GET", "BREW"),
          rules.replace("x-oss-*", "*-*"),
          rules.replace("ETag", "x-*"),
          rules.replace("60", "soon")
        ]) {
          assert.strictEqual(refusal(yield* set(bad))[0], 400, bad)
        }
        assert.strictEqual((yield* Client.send({ method: "DELETE", bucket, query: { cors: "" } })).status, 204)
        assert.strictEqual(refusal(yield* preflight(asking))[2], "0003-00000601")
      })
    )

    it.effect("answer a preflight by the first rule that fits", () =>
      Effect.gen(function* () {
        yield* make(bucket)
        yield* set(rules)
        const allowed = yield* preflight({ ...asking, "access-control-request-headers": "X-OSS-Meta-A, content-type" })
        assert.deepStrictEqual([allowed.status, allowed.text], [200, ""])
        assert.deepInclude(allowed.headers, {
          "access-control-allow-origin": "https://a.example.com",
          "access-control-allow-methods": "PUT",
          "access-control-allow-headers": "X-OSS-Meta-A, content-type",
          "access-control-expose-headers": "ETag, x-oss-request-id",
          "access-control-max-age": "60"
        })
        const denied = [403, "AccessForbidden", "0003-00000602"]
        for (const headers of [
          { ...asking, origin: "https://example.com" },
          { ...asking, origin: "http://a.example.com" },
          { ...asking, "access-control-request-method": "DELETE" },
          { ...asking, "access-control-request-headers": "authorization" }
        ]) {
          const answer = yield* preflight(headers)
          assert.deepStrictEqual(refusal(answer), denied)
          assert.isUndefined(answer.headers["access-control-allow-origin"])
        }
        assert.deepStrictEqual(refusal(yield* preflight({})), [400, "BadRequest", "0034-00000101"])
        assert.deepStrictEqual(refusal(yield* preflight({ origin: "a" })), [400, "BadRequest", "0034-00000102"])
      })
    )

    it.effect("let a page read answers and refusals, and hinder nobody else", () =>
      Effect.gen(function* () {
        yield* make(bucket)
        yield* set(rules)
        const origin = "https://a.example.com"
        const put = yield* Client.put("k", "x", { bucket, headers: { origin } })
        assert.deepInclude(put.headers, {
          "access-control-allow-origin": origin,
          "access-control-expose-headers": "ETag, x-oss-request-id"
        })
        const refused = yield* Client.put("k", "x", { bucket, headers: { origin }, sign: "none" })
        assert.deepStrictEqual([refused.status, refused.headers["access-control-allow-origin"]], [403, origin])
        const foreign = yield* Client.put("k", "x", { bucket, headers: { origin: "https://evil.com" } })
        assert.deepStrictEqual([foreign.status, foreign.headers["access-control-allow-origin"]], [200, undefined])
      })
    )
  })
}
