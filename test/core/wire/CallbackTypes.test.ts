/**
 * What the compiler says about callbacks. `tsc` checks these; an expected error that does not happen is itself an error.
 */
import { describe, expectTypeOf, it } from "@effect/vitest"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { CallbackRejected, InvalidParam } from "../../../core/model/OssError.ts"
import type { Crypto } from "../../../core/ports/Crypto.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Callback from "../../../core/wire/Callback.ts"

const VideoUploaded = Callback.make({
  url: "https://api.example.com/oss/video-uploaded",
  bucket: "media",
  body: {
    object: Callback.object,
    bytes: Callback.size,
    etag: Callback.etag,
    type: Callback.mimeType,
    height: Callback.imageHeight,
    width: Callback.imageWidth,
    format: Callback.imageFormat,
    crc64: Callback.crc64,
    md5: Callback.contentMd5,
    vpc: Callback.vpcId,
    ip: Callback.clientIp,
    request: Callback.reqId,
    operation: Callback.operation,
    bucket: Callback.bucket,
    userId: Callback.var("user_id", Schema.String),
    rank: Callback.var("rank", Schema.NumberFromString)
  },
  response: Schema.Struct({ videoId: Schema.String, at: Schema.Date })
})

const Plain = Callback.make({
  url: "https://a",
  bucket: "media",
  body: { key: Callback.object },
  response: Schema.Null
})

interface Answer {
  readonly videoId: string
  readonly at: Date
}

describe("the types of a contract", () => {
  it("a body is what its fields decode to", () => {
    expectTypeOf(VideoUploaded.decode).returns.toEqualTypeOf<
      Either.Either<
        {
          readonly object: string
          readonly bytes: number
          readonly etag: string
          readonly type: string | undefined
          readonly height: number | undefined
          readonly width: number | undefined
          readonly format: string | undefined
          readonly crc64: bigint
          readonly md5: string | undefined
          readonly vpc: string | undefined
          readonly ip: string | undefined
          readonly request: string
          readonly operation: string
          readonly bucket: string
          readonly userId: string
          readonly rank: number
        },
        CallbackRejected
      >
    >()
  })

  it("the uploader gives the variables, all of them and no others", () => {
    expectTypeOf(VideoUploaded).parameters.toEqualTypeOf<
      [variables: { readonly userId: string; readonly rank: number }]
    >()
    expectTypeOf(VideoUploaded).toBeCallableWith({ userId: "u", rank: 1 })
    // @ts-expect-error a variable is missing
    VideoUploaded({ userId: "u" })
    // @ts-expect-error rank is a number
    VideoUploaded({ userId: "u", rank: "1" })
    // @ts-expect-error there is no such variable
    VideoUploaded({ userId: "u", rank: 1, admin: "yes" })
    // @ts-expect-error the variables are missing
    void (() => VideoUploaded())
  })

  it("a contract without variables is called with nothing", () => {
    expectTypeOf(Plain).parameters.toEqualTypeOf<[]>()
    expectTypeOf(Plain()).toEqualTypeOf<Callback.Callback<null>>()
    // @ts-expect-error there is nothing to give
    void (() => Plain({}))
  })

  it("a callback has the type of the application's answer, decoded", () => {
    expectTypeOf(VideoUploaded({ userId: "u", rank: 1 })).toEqualTypeOf<Callback.Callback<Answer>>()
    expectTypeOf(VideoUploaded.decodeResponse).returns.toEqualTypeOf<Either.Either<Answer, Callback.OffContract>>()
    expectTypeOf(Callback.headers(Plain())).toEqualTypeOf<
      Either.Either<Readonly<Record<string, string>>, InvalidParam>
    >()
  })

  it("a variable's Schema needs no services, and ends in a text", () => {
    // @ts-expect-error a number is no text: it would travel in nobody knows which spelling
    Callback.var("n", Schema.Number)
    const needy = Schema.String as Schema.Schema<string, string, Context.Tag<"Db", "Db">> // a type to be refused
    // @ts-expect-error there is nobody to give it its service
    void (() => Callback.var("n", needy))
  })
})

describe("the types of a receiver", () => {
  class Videos extends Effect.Tag("Videos")<Videos, { readonly insert: (key: string) => Effect.Effect<string> }>() {}

  it("asks for what the handler asks for, and never fails", () => {
    const receiver = CallbackReceiver.make(VideoUploaded, ({ object }) =>
      Effect.gen(function* () {
        const videos = yield* Videos
        return { videoId: yield* videos.insert(object), at: new Date(0) }
      })
    )
    expectTypeOf(receiver).toEqualTypeOf<CallbackReceiver.Receiver<Videos>>()
    expectTypeOf(receiver.handle).returns.toEqualTypeOf<
      Effect.Effect<CallbackReceiver.Answer, never, Videos | Crypto>
    >()
  })

  it("takes no handler that answers anything but what the contract promises", () => {
    // @ts-expect-error the answer is missing
    CallbackReceiver.make(VideoUploaded, () => Effect.void)
    // @ts-expect-error `at` is missing
    CallbackReceiver.make(VideoUploaded, ({ object }) => Effect.succeed({ videoId: object }))
    // @ts-expect-error `at` is a Date here; it becomes a text on the wire
    CallbackReceiver.make(VideoUploaded, ({ object }) => Effect.succeed({ videoId: object, at: "now" }))
    // @ts-expect-error the body has no such field
    CallbackReceiver.make(VideoUploaded, ({ owner }) => Effect.succeed({ videoId: owner, at: new Date(0) }))
  })

  it("maps the handler's own errors to statuses", () => {
    CallbackReceiver.make(Plain, () => Effect.fail("taken" as const), {
      statusOf: (error) => {
        expectTypeOf(error).toEqualTypeOf<"taken">()
        return 409
      }
    })
  })
})
