import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import * as Net from "node:net"
import type { AddressInfo } from "node:net"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../core/model/Bytes.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import type { CallbackFailed, CallbackFailure } from "../../../core/model/OssError.ts"
import type { Uploaded } from "../../../core/model/Uploaded.ts"
import type { Progress } from "../../../core/model/Progress.ts"
import * as CheckpointStore from "../../../core/ports/CheckpointStore.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import { OssClient } from "../../../core/programs/OssClient.ts"
import { holdingOf } from "../../../core/programs/upload/options.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as Operation from "../../../core/wire/Operation.ts"
import * as Emulated from "../../support/Emulated.ts"

const response = Schema.Struct({ id: Schema.Number })

const contract = (url: string, bodyType: "form" | "json" = "form") =>
  Callback.make({
    url,
    bucket: "media",
    bodyType,
    body: {
      object: Callback.object,
      size: Callback.size,
      crc64: Callback.crc64,
      user: Callback.var("user", Schema.String)
    },
    response
  })

const random = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0, state = 1; i < size; i++) bytes[i] = (state = Math.imul(state, 1103515245) + 12345) >>> 16
  return bytes
}

/** An application server that does one thing to every request. */
const misbehaving = (listener: Http.RequestListener) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer(listener).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.closeAllConnections()
        server.close(() => resume(Effect.void))
      })
  ).pipe(Effect.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`))

const closedPort = Effect.async<string>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(`http://127.0.0.1:${port}/`)))
  })
})

describe("Upload with a callback", () => {
  for (const bodyType of ["form", "json"] as const) {
    it.scopedLive(`hands back what the application answered, typed (${bodyType} body)`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const told: Array<unknown> = []
        const handle = CallbackReceiver.make(contract("http://x", bodyType), (body) =>
          Effect.sync(() => ({ id: told.push(body) }))
        )
        const { url } = yield* Emulated.server(emulator, handle)
        const content = random(Bytes.MiB(1))
        const callback = contract(`${url}/uploaded?a=1`, bodyType)({ user: "小明 & co" })
        const [one, two] = yield* Effect.all([
          Upload.simple("a b/é.bin", Source.bytes(content), { callback }),
          Upload.multipart("parts.bin", Source.bytes(content), { callback, partSize: Bytes.KiB(300) })
        ]).pipe(Effect.provide(Emulated.client(emulator)))
        assert.deepEqual([one.callback, two.callback], [{ id: 1 }, { id: 2 }])
        assert.deepEqual([one.method, two.method], ["simple", "multipart"])
        const told1 = { object: "a b/é.bin", size: content.length, crc64: Crc64.of(content), user: "小明 & co" }
        assert.deepEqual(told, [told1, { ...told1, object: "parts.bin" }])
        assert.strictEqual(two.crc64, Crc64.of(content))
        for (const key of ["a b/é.bin", "parts.bin"]) {
          const stored = Option.getOrThrow(yield* emulator.object(key))
          assert.isTrue(Buffer.from(stored).equals(content), `${key} is what was sent`)
        }
        assert.deepEqual(yield* emulator.uploads(), [])
      })
    )
  }

  const cases: ReadonlyArray<readonly [string, CallbackFailure, Http.RequestListener]> = [
    ["answers 500", "BadStatus", (_, answer) => answer.writeHead(500).end()],
    ["redirects", "BadStatus", (_, answer) => answer.writeHead(301, { location: "http://127.0.0.1/" }).end()],
    ["sends what is not JSON", "NotJson", (_, answer) => answer.writeHead(200, { "content-length": "2" }).end("ok")],
    ["never answers", "TimedOut", () => {}],
    [
      "answers off the contract",
      "OffContract",
      (_, answer) => answer.writeHead(200, { "content-length": "2" }).end("{}")
    ]
  ]
  for (const [what, reason, listener] of cases) {
    it.scopedLive(`is CallbackFailed with the receipt, and the object is stored, when the server ${what}`, () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        const url = yield* misbehaving(listener)
        yield* expectFailed(emulator, url, reason)
      })
    )
  }

  it.scopedLive(
    "is CallbackFailed with the receipt, and the object is stored, when the server refuses connections",
    () =>
      Effect.gen(function* () {
        const emulator = yield* OssEmulator.make({ bucket: "media" })
        yield* expectFailed(emulator, yield* closedPort, "CannotConnect")
      })
  )

  it("has CallbackFailed in its error type only with a callback", () => {
    const without = Upload.simple("k", Source.text(""))
    expectTypeOf<Effect.Effect.Error<typeof without>>().toEqualTypeOf<Upload.UploadError>()
    expectTypeOf<Effect.Effect.Success<typeof without>>().toEqualTypeOf<Uploaded>()
    const callback = contract("http://a")({ user: "u" })
    const withOne = Upload.multipart("k", Source.text(""), { callback })
    expectTypeOf<Effect.Effect.Error<typeof withOne>>().toEqualTypeOf<Upload.UploadError | CallbackFailed>()
    expectTypeOf<Effect.Effect.Success<typeof withOne>>().toEqualTypeOf<Uploaded<{ readonly id: number }>>()
    expectTypeOf<Effect.Effect.Context<typeof withOne>>().toEqualTypeOf<OssClient>()
  })
})

const expectFailed = (emulator: OssEmulator.Service, url: string, reason: CallbackFailure) =>
  Effect.gen(function* () {
    const content = random(1000)
    const callback = contract(url)({ user: "u" })
    const error = yield* Upload.simple("k", Source.bytes(content), { callback }).pipe(
      Effect.provide(Emulated.client(emulator)),
      Effect.flip
    )
    assert.strictEqual(error._tag, "CallbackFailed", error.message)
    if (error._tag !== "CallbackFailed") return
    assert.strictEqual(error.reason, reason, error.message)
    assert.strictEqual(error.stored.crc64, Crc64.of(content))
    assert.strictEqual(error.stored.size, 1000)
    assert.deepEqual(Array.from(Option.getOrThrow(yield* emulator.object("k"))), Array.from(content))
  })

describe("Upload", () => {
  it.scopedLive("keeps every key byte by byte, through put, head and get", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const keys = [
        "a b",
        "a+b",
        "100%",
        "%2F",
        "~",
        "!*'()",
        "🎉 é 日本",
        "a/../b",
        "..",
        "a//b",
        "a/",
        "x?y=1#z",
        "\u0001",
        "a&b=c"
      ]
      yield* Effect.gen(function* () {
        const { execute } = yield* OssClient
        for (const text of keys) {
          yield* Upload.simple(text, Source.text(text))
          const key = yield* ObjectKey.make(text)
          assert.strictEqual(
            (yield* execute(Operation.headObject(key))).crc64,
            Crc64.of(new TextEncoder().encode(text))
          )
          assert.strictEqual(new TextDecoder().decode((yield* execute(Operation.getObject(key, 1024))).bytes), text)
        }
      }).pipe(Effect.provide(Emulated.client(emulator)))
      const stored = (yield* emulator.objects()).map(({ key }) => key)
      assert.deepEqual(stored.sort(), [...keys].sort())
    })
  )

  it.scopedLive("sends nothing when the call is wrong, and names field, limit and unit", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const wrong: ReadonlyArray<readonly [RegExp, string, Upload.MultipartOptions<undefined>]> = [
        [/^key: must be 1 to 1023 bytes of UTF-8, got an empty text$/, "", {}],
        [/^key: must be 1 to 1023 bytes of UTF-8, got 1024 bytes$/, "k".repeat(1024), {}],
        [/^key: must not begin with/, "/k", {}],
        [/^key: must not begin with/, "\\k", {}],
        [/^key: must be well-formed Unicode/, "\udc00", {}],
        [/^cacheControl: must not contain CR, LF/, "k", { cacheControl: "a\r\nb" }],
        [/^metadata: must be at most 8192 bytes in all, got 9001 bytes$/, "k", { metadata: { a: "x".repeat(9000) } }],
        [/^trafficLimit: must be a whole number of 819200/, "k", { trafficLimit: 1 }]
      ]
      const multipartOnly: typeof wrong = [
        [/^partSize: must be 102400 to 5368709120 bytes, got 65536$/, "k", { partSize: 65536 }],
        [/^concurrency: must be a whole number of 1 to 1000 parts at once, got 0$/, "k", { concurrency: 0 }]
      ]
      const content = Source.bytes(random(Bytes.MiB(1)))
      yield* Effect.gen(function* () {
        for (const [message, key, options] of [...wrong, ...multipartOnly]) {
          const small = { partSize: Bytes.KiB(100), ...options } as Upload.WithoutCallback<typeof options>
          assert.match((yield* Effect.flip(Upload.multipart(key, content, small))).message, message)
        }
        for (const [message, key, options] of wrong) {
          const given = options as Upload.WithoutCallback<typeof options>
          assert.match((yield* Effect.flip(Upload.simple(key, content, given))).message, message)
        }
        const huge: Source.Source = { ...content, size: Bytes.GiB(5) + 1 }
        assert.match(
          (yield* Effect.flip(Upload.simple("k", huge))).message,
          /^source: must be at most 5368709120 bytes/
        )
        const callback = Callback.raw({ url: "http://a", body: "a=${x:b}", response })
        assert.match(
          (yield* Effect.flip(Upload.simple("k", content, { callback }))).message,
          /^body: \$\{x:b\} is not defined/
        )
      }).pipe(Effect.provide(Emulated.client(emulator)))
      assert.deepEqual(yield* emulator.requests, [])
      const region = Either.flip(
        yield* Effect.either(
          Effect.provide(Upload.simple("k", content), Emulated.client(emulator, { region: "oss-cn-hangzhou" }))
        )
      )
      assert.match(Either.getOrThrow(region).message, /^region: must be the region's ID, "cn-hangzhou"/)
    })
  )

  it.scopedLive("stores empty sources, and one part as one request", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* Effect.gen(function* () {
        assert.strictEqual((yield* Upload.simple("empty", Source.text(""))).crc64, 0n)
        assert.strictEqual((yield* Upload.multipart("empty too", Source.text(""))).size, 0)
        assert.strictEqual((yield* Upload.multipart("one", Source.bytes(random(1000)))).method, "multipart")
      }).pipe(Effect.provide(Emulated.client(emulator)))
      assert.deepEqual(
        (yield* emulator.requests).map(({ operation }) => operation),
        ["PutObject", "PutObject", "PutObject"]
      )
    })
  )

  it("holds parts as the caller says, else by their size, else as suits the source", () => {
    const held = (said: "part" | "chunk" | undefined, suits: "part" | "chunk" | undefined, partSize: number) =>
      holdingOf({ buffer: said }, { buffer: suits }, partSize)
    const asSuits = (suits: "part" | "chunk" | undefined) =>
      ({
        part: { buffer: "part" } as const,
        chunk: { buffer: "chunk", chunkSize: undefined } as const
      })[suits ?? "part"]
    for (const suits of [undefined, "part", "chunk"] as const) {
      for (const size of [Bytes.KiB(100), Bytes.MiB(8), Bytes.GiB(1)]) {
        assert.deepEqual(held("part", suits, size), asSuits("part"))
        assert.deepEqual(held("chunk", suits, size), { buffer: "chunk", chunkSize: Bytes.KiB(96) })
      }
      assert.deepEqual(held(undefined, suits, Bytes.MiB(1)), asSuits("part"))
      assert.deepEqual(held(undefined, suits, Bytes.MiB(1) + 1), asSuits(suits))
      assert.deepEqual(held(undefined, suits, Bytes.MiB(32)), asSuits(suits))
      assert.deepEqual(held(undefined, suits, Bytes.MiB(32) + 1), asSuits("chunk"))
    }
  })

  it.scopedLive("reads a part whole or in chunks, as it is held, and in memory where it lies", () =>
    Effect.gen(function* () {
      const layer = Emulated.client(yield* OssEmulator.make({ bucket: "media" }))
      const bytes = random(Bytes.KiB(250))
      const source = Source.bytes(bytes)
      const ways = new Set<string>()
      const watched = (hasView: boolean): Source.Source => ({
        ...source,
        open: Effect.map(source.open, ({ chunks, read, unchanged, view }) => ({
          unchanged,
          read: (offset, target) => (ways.add("part"), read(offset, target)),
          view: hasView ? (offset, length) => (ways.add("view"), view!(offset, length)) : undefined,
          chunks: (offset, length) => (ways.add("chunk"), chunks(offset, length))
        }))
      })
      for (const buffer of ["part", "chunk"] as const) {
        for (const [way, hasView] of [
          [buffer, false],
          ["view", true]
        ] as const) {
          ways.clear()
          const upload = Upload.multipart("k", watched(hasView), { partSize: Bytes.KiB(100), buffer })
          const { crc64 } = yield* Effect.provide(upload, layer)
          assert.strictEqual(crc64, Crc64.of(bytes))
          assert.deepEqual([...ways], [way])
        }
      }
    })
  )

  it.scopedLive("reads whole parts into memory of the source's own, once for each part in flight", () =>
    Effect.gen(function* () {
      const layer = Emulated.client(yield* OssEmulator.make({ bucket: "media" }))
      const bytes = random(Bytes.KiB(650))
      const source = Source.bytes(bytes)
      const allocated: Array<Uint8Array> = []
      const targets = new Set<ArrayBufferLike>()
      const watched: Source.Source = {
        ...source,
        open: Effect.map(source.open, ({ chunks, read, unchanged }) => ({
          chunks,
          unchanged,
          allocate: (size) => allocated[allocated.push(new Uint8Array(size)) - 1]!,
          read: (offset, target) => (targets.add(target.buffer), read(offset, target))
        }))
      }
      const options = { partSize: Bytes.KiB(100), buffer: "part", concurrency: 2 } as const
      const { crc64 } = yield* Effect.provide(Upload.multipart("k", watched, options), layer)
      assert.strictEqual(crc64, Crc64.of(bytes))
      assert.deepEqual(
        allocated.map(({ length }) => length),
        [Bytes.KiB(100), Bytes.KiB(100)]
      )
      assert.sameMembers(
        [...targets],
        allocated.map(({ buffer }) => buffer)
      )
    })
  )

  it.scopedLive("keeps what is said about the object", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const options = {
        contentType: "video/mp4",
        cacheControl: "no-cache",
        metadata: { user: "42", name: "é 日本 🎬" },
        acl: "public-read"
      } as const
      yield* Effect.gen(function* () {
        const { execute } = yield* OssClient
        yield* Upload.simple("s", Source.text("x"), options)
        yield* Upload.multipart("m", Source.bytes(random(Bytes.KiB(300))), { ...options, partSize: Bytes.KiB(100) })
        for (const text of ["s", "m"]) {
          const info = yield* execute(Operation.headObject(yield* ObjectKey.make(text)))
          assert.strictEqual(info.contentType, "video/mp4")
          assert.strictEqual(info.headers["cache-control"], "no-cache")
          assert.deepEqual(info.metadata, { user: "42", name: "é 日本 🎬" })
        }
      }).pipe(Effect.provide(Emulated.client(emulator)))
    })
  )

  it.scopedLive("does not overwrite where that is forbidden", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      yield* Effect.gen(function* () {
        yield* Upload.simple("k", Source.text("first"))
        const again = [
          Upload.simple("k", Source.text("second"), { forbidOverwrite: true }),
          Upload.multipart("k", Source.bytes(random(Bytes.KiB(300))), {
            forbidOverwrite: true,
            partSize: Bytes.KiB(100)
          })
        ]
        for (const upload of again) {
          const error = yield* Effect.flip(upload)
          assert.strictEqual(error._tag === "ServiceError" && error.code, "FileAlreadyExists")
        }
      }).pipe(Effect.provide(Emulated.client(emulator)))
      assert.strictEqual(new TextDecoder().decode(Option.getOrThrow(yield* emulator.object("k"))), "first")
    })
  )

  it.scopedLive("tells its progress in bytes and parts, never falling, and exact at the end", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.make({ bucket: "media" })
      const content = random(Bytes.MiB(3))
      const partSize = Bytes.MiB(1)
      for (const [totalParts, upload] of [
        [1, Upload.simple],
        [3, Upload.multipart],
        [3, Upload.resumable]
      ] as const) {
        const seen: Array<Progress> = []
        yield* upload("k", Source.bytes(content), {
          partSize,
          onProgress: (progress) => Effect.sync(() => void seen.push(progress))
        }).pipe(Effect.provide([Emulated.client(emulator), CheckpointStore.layerMemory]))
        for (const [i, { parts, sent }] of seen.slice(1).entries()) {
          const before = seen[i]! // one earlier, since the first is left out
          assert.isTrue(sent >= before.sent && parts >= before.parts && (sent > before.sent || parts > before.parts))
        }
        assert.deepEqual(seen.at(-1), { sent: content.length, total: content.length, parts: totalParts, totalParts })
      }
    })
  )
})
