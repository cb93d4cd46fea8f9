/** Sources that any machine can open: files, URLs and objects keep one contract, and never mix two versions. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Copy from "../../../adapters/cluster/sources/Copy.ts"
import * as ObjectSource from "../../../adapters/cluster/sources/ObjectSource.ts"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"
import * as Sources from "../../../adapters/cluster/sources/Sources.ts"
import * as UrlSource from "../../../adapters/cluster/sources/UrlSource.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import type { SourceError } from "../../../core/model/OssError.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import type { Source } from "../../../core/ports/Source.ts"
import * as CoreSource from "../../../core/ports/Source.ts"
import * as OssClient from "../../../core/programs/OssClient.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import { sourceContract } from "../../contracts/Source.contract.ts"
import * as TestServer from "../../support/TestServer.ts"
import * as RangeServer from "./RangeServer.ts"

const blockSize = 400_000
const retry = Schedule.recurs(2)
const node = NodeTransport.layer()

const describeUrl = (origin: string, path = "/v.mp4") => {
  const ref = { _tag: "Url", url: `${origin}${path}`, public: true } as const
  return UrlSource.make(ref, { blockSize, retry }).pipe(Effect.provide(node))
}

/** A client and `Sources` against an emulator in process. */
const emulated = Layer.unwrapEffect(
  Effect.map(OssEmulator.OssEmulator, ({ bucket, credentials, endpoint, region }) => {
    const options = { region, endpoint, blockSize }
    return Layer.merge(Sources.layer(options), OssClient.layer({ ...options, bucket })).pipe(
      Layer.provide(Layer.mergeAll(CredentialsProvider.layer(credentials), NodeCrypto.layer, NodeFileSystem.layer))
    )
  })
).pipe(Layer.provideMerge(OssEmulator.layerInProcess()))

sourceContract("ObjectSource", (content) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(emulated)
    return yield* Effect.provide(
      Effect.gen(function* () {
        const { bucket } = yield* OssEmulator.OssEmulator
        yield* Upload.simple("v.mp4", CoreSource.bytes(content))
        return yield* (yield* Sources.Sources).open(SourceRef.object(bucket, "v.mp4"))
      }),
      context
    )
  })
)
sourceContract("UrlSource", (content) =>
  Effect.flatMap(RangeServer.start(content), ({ origin }) => describeUrl(origin))
)

describe("a URL as a source", () => {
  const content = new Uint8Array(1000).map((_, i) => i)
  const failure = (attempt: Effect.Effect<unknown, SourceError>) =>
    Effect.map(Effect.flip(attempt), (error) => [error.reason, error.detail, Sources.isPermanent(error)] as const)
  const read = (source: Source) =>
    Effect.scoped(Effect.flatMap(source.open, (reader) => reader.read(0, new Uint8Array(source.size))))

  it.scopedLive("asks for ranges of one version, and sends no secret and no cookie", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      yield* read(yield* describeUrl(server.origin, "/v?id=1"))
      assert.deepStrictEqual(
        server.received.map(({ headers, target }) => [
          target,
          headers.range,
          headers["if-match"],
          headers.authorization
        ]),
        [
          ["/v?id=1", "bytes=0-0", undefined, undefined],
          ["/v?id=1", "bytes=0-999", '"v1"', undefined]
        ]
      )
    })
  )

  it.scopedLive("is Changed when the server has another version, by its refusal or by its answer", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      const source = yield* describeUrl(server.origin)
      server.serve(
        content.map((byte) => byte + 1),
        '"v2"'
      )
      const changed = ["Changed", "has changed since it was described", true] as const
      assert.deepStrictEqual(yield* failure(read(source)), changed)
      assert.deepStrictEqual(
        yield* failure(Effect.scoped(Effect.flatMap(source.open, (one) => one.unchanged))),
        changed
      )
      // A server that does not know If-Match.
      server.next(TestServer.answer(206, { ETag: '"v2"', "Content-Range": "bytes 0-999/1000" }, content))
      assert.deepStrictEqual(yield* failure(read(source)), changed)
      server.next(TestServer.answer(206, { ETag: '"v1"', "Content-Range": "bytes 0-999/1001" }, content))
      assert.deepStrictEqual(yield* failure(read(source)), changed)
      assert.notStrictEqual((yield* describeUrl(server.origin)).fingerprint, source.fingerprint)
    })
  )

  it.scopedLive("takes no other bytes than those it asked for", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      const source = yield* describeUrl(server.origin)
      const headers = (range: string) => ({ ETag: '"v1"', "Content-Range": `bytes ${range}/1000` })
      server.next(TestServer.answer(206, headers("0-999"), content.subarray(1)))
      assert.match((yield* failure(read(source)))[1], /other bytes than the 1000 from 0 on/)
      server.next(TestServer.answer(206, headers("1-999"), content.subarray(1)))
      assert.match((yield* failure(read(source)))[1], /other bytes than the 1000 from 0 on/)
    })
  )

  it.scopedLive("says why a server cannot serve as a source, for good", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      const large = new Uint8Array(200_000)
      const range = { "Content-Range": "bytes 0-0/1000" }
      const cases: ReadonlyArray<readonly [TestServer.Handler, RegExp]> = [
        [TestServer.answer(200, { ETag: '"v1"' }, "all of it"), /does not answer ranges/],
        [TestServer.answer(200, { ETag: '"v1"' }, large), /does not answer ranges/],
        [TestServer.answer(206, range, "a"), /no strong ETag/],
        [TestServer.answer(206, { ...range, ETag: 'W/"v1"' }, "a"), /no strong ETag/],
        [TestServer.answer(302, { Location: "http://169.254.169.254/" }), /redirects/],
        [TestServer.answer(206, { ...range, ETag: '"v1"', "Content-Encoding": "gzip" }, "a"), /compresses/]
      ]
      for (const [handler, sentence] of cases) {
        server.next(handler)
        const [reason, detail, permanent] = yield* failure(describeUrl(server.origin))
        assert.deepStrictEqual([reason, permanent], ["Read", true])
        assert.match(detail, sentence)
      }
      server.next(TestServer.answer(404))
      assert.deepStrictEqual((yield* failure(describeUrl(server.origin)))[0], "NotFound")
      server.next(TestServer.answer(403))
      assert.deepStrictEqual(yield* failure(describeUrl(server.origin)), ["Read", "the server answers 403", false])
      server.next(TestServer.answer(206, { ETag: '"v1"', "Content-Range": "bytes 0-0/*" }, "a"))
      assert.match((yield* failure(describeUrl(server.origin)))[1], /without telling the whole size/)
    })
  )

  it.scopedLive("asks again after 429, 5xx and a broken connection, and not for ever", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      server.next(TestServer.answer(503), TestServer.answer(429))
      assert.strictEqual((yield* describeUrl(server.origin)).size, 1000)
      server.next((request) => request.socket.destroy())
      assert.strictEqual((yield* describeUrl(server.origin)).size, 1000)
      const before = server.received.length
      server.always(TestServer.answer(500))
      assert.deepStrictEqual(yield* failure(describeUrl(server.origin)), ["Read", "the server answers 500", false])
      assert.strictEqual(server.received.length - before, 3)
    })
  )

  it.scopedLive("hangs up when the reading is interrupted", () =>
    Effect.gen(function* () {
      const server = yield* RangeServer.start(content)
      const source = yield* describeUrl(server.origin)
      let closed = 0
      server.always((request) => void request.socket.on("close", () => closed++))
      const fiber = yield* Effect.fork(read(source))
      yield* Effect.repeat(Effect.sleep(5), { until: () => server.received.length === 2 })
      yield* Fiber.interrupt(fiber)
      yield* Effect.repeat(Effect.sleep(5), { until: () => closed === 1 })
    })
  )
})

describe("Sources", () => {
  it.scopedLive("opens a file and an object by name, and says that there is none", () =>
    Effect.gen(function* () {
      const sources = yield* Sources.Sources
      const folder = yield* Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "sources-")))
      yield* Effect.addFinalizer(() => Effect.promise(() => Fs.rm(folder, { recursive: true })))
      yield* Effect.promise(() => Fs.writeFile(Path.join(folder, "a"), "abc"))
      const file = yield* sources.open(SourceRef.path(Path.join(folder, "a")))
      yield* Upload.simple("日本/a b", CoreSource.text("four"))
      const { bucket } = yield* OssEmulator.OssEmulator
      const object = yield* sources.open(SourceRef.object(bucket, "日本/a b"))
      assert.deepStrictEqual([file.size, object.size], [3, 4])
      const missing = yield* Effect.flip(sources.open(SourceRef.object(bucket, "none")))
      assert.deepStrictEqual([missing.reason, missing.source], ["NotFound", `oss://${bucket}/none`])
    }).pipe(Effect.provide(emulated))
  )

  it.scopedLive("opens nothing that its rules exclude", () =>
    Effect.gen(function* () {
      const sources = yield* Sources.make({ region: "cn-hangzhou", allow: (ref) => ref._tag !== "Path" })
      const error = yield* Effect.flip(sources.open(SourceRef.path("/etc/hostname")))
      assert.include(error.message, "exclude")
      assert.isTrue(Sources.isPermanent(error))
    }).pipe(
      Effect.provide(Layer.mergeAll(NodeFileSystem.layer, node, NodeCrypto.layer, CredentialsProvider.layerConfig))
    )
  )
})

describe("an object copied by OSS itself", () => {
  const content = new Uint8Array(250_000).map((_, i) => i * 7 + (i >> 8))
  const key = Either.getOrThrow(ObjectKey.make("copied/v.mp4"))

  /** The source, described, and an upload that waits for parts. */
  const begun = Effect.gen(function* () {
    const client = yield* OssClient.OssClient
    yield* Upload.simple("日本/a b", CoreSource.bytes(content))
    const source = yield* (yield* Sources.Sources).open(SourceRef.object(client.bucket.name, "日本/a b"))
    if (!ObjectSource.is(source)) return yield* Effect.dieMessage("it is an object")
    const uploadId = yield* client.execute(MultipartOperation.initiateMultipartUpload(key, {}))
    const copy = (number: number, offset: number, length: number) =>
      Copy.copyPart(client, source.object, { key, uploadId, number, offset, length })
    return { client, object: source.object, uploadId, copy }
  })

  it.scopedLive("is the object byte by byte, and proved by its CRC-64", () =>
    Effect.gen(function* () {
      const { client, copy, object, uploadId } = yield* begun
      assert.isTrue(Copy.isPossible(object, client.bucket))
      const parts = yield* Effect.all([copy(1, 0, 102_400), copy(2, 102_400, 102_400), copy(3, 204_800, 45_200)])
      const stored = yield* client.execute(MultipartOperation.completeMultipartUpload(key, uploadId, parts, {}))
      yield* Copy.prove(object, { key, crc64: stored.crc64 })
      const found = Option.getOrThrow(yield* (yield* OssEmulator.OssEmulator).object(key))
      assert.strictEqual(Buffer.compare(found, content), 0)
      const wrong = yield* Effect.flip(Copy.prove(object, { key, crc64: 1n }))
      assert.deepStrictEqual([wrong.of, wrong.server], [key, 1n])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(Copy.prove(object, { key, crc64: undefined }))))
    }).pipe(Effect.provide(emulated))
  )

  it.scopedLive("is Changed when another object took its place, and NotFound when it is gone", () =>
    Effect.gen(function* () {
      const { client, copy, object, uploadId } = yield* begun
      yield* Upload.simple(object.key, CoreSource.text("another"))
      const changed = yield* Effect.flip(copy(1, 0, 102_400))
      assert.deepInclude(changed, { _tag: "SourceError", reason: "Changed", source: `oss://${object.bucket}/日本/a b` })
      yield* client.execute(Operation.deleteObject(object.key))
      assert.deepInclude(yield* Effect.flip(copy(1, 0, 102_400)), { _tag: "SourceError", reason: "NotFound" })
      yield* client.execute(MultipartOperation.abortMultipartUpload(key, uploadId))
      assert.deepInclude(yield* Effect.flip(copy(1, 0, 102_400)), { _tag: "ServiceError", code: "NoSuchUpload" })
    }).pipe(Effect.provide(emulated))
  )

  it("has one fingerprint, whichever network a runner takes to it", () =>
    Effect.gen(function* () {
      const client = (network: Bucket.Network) =>
        OssClient.make({ bucket: "media", region: "cn-hangzhou", network }).pipe(
          Effect.provide(Layer.mergeAll(node, NodeCrypto.layer, CredentialsProvider.layerConfig))
        )
      const described = (site: string) => ({ bucket: "media", site, key, size: 1, etag: "E", crc64: 1n })
      const [near, far] = yield* Effect.all([client("internal"), client("public")])
      assert.strictEqual(
        ObjectSource.of(near, described(ObjectSource.siteOf(near.bucket))).fingerprint,
        ObjectSource.of(far, described(ObjectSource.siteOf(far.bucket))).fingerprint
      )
    }).pipe(Effect.runPromise))

  it("is possible within one region and one OSS only, and where there is a CRC-64", () => {
    const bucket = (options: Partial<Bucket.Options> = {}) =>
      Either.getOrThrow(Bucket.make({ bucket: "media", region: "cn-hangzhou", ...options }))
    const source = {
      bucket: "other",
      key,
      size: 1,
      etag: "E",
      crc64: 1n,
      site: ObjectSource.siteOf(bucket({ bucket: "other", network: "internal" }))
    }
    const local = "http://127.0.0.1:9000"
    assert.deepStrictEqual(
      [bucket(), bucket({ region: "cn-beijing" }), bucket({ endpoint: local })].map((to) =>
        Copy.isPossible(source, to)
      ),
      [true, false, false]
    )
    assert.isFalse(Copy.isPossible({ ...source, crc64: undefined }, bucket()))
  })
})
