import { assert, it } from "@effect/vitest"
import { Source, Upload } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import { NodeOss } from "effect-oss/node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { VideoUploaded } from "../readme/contract.ts"
import { onVideoUploaded } from "../readme/receive.ts"

// A fresh OSS for each test. Callbacks for this URL go to this receiver, signed, without a socket.
const Emulator = OssEmulator.layer({
  bucket: "media",
  receivers: { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
})

const Client = Layer.unwrapEffect(
  Effect.map(OssEmulator.OssEmulator, ({ bucket, credentials, endpoint, region }) =>
    NodeOss.layer({ bucket, credentials, endpoint, region })
  )
)

const Test = Layer.provideMerge(Client, Emulator)

it.live("stores the video, and tells the application", () =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    const callback = VideoUploaded({ userId: "u_1" })
    const uploaded = yield* Upload.simple("videos/a.mp4", Source.text("a film"), { callback })
    assert.strictEqual(uploaded.callback.videoId, "video-of-u_1")
    assert.isTrue(Option.isSome(yield* emulator.object("videos/a.mp4")))
  }).pipe(Effect.provide(Test))
)

it.live("tries again when the connection is dropped", () =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.OssEmulator
    yield* emulator.inject({ fault: "drop", operation: "PutObject" })
    yield* Upload.simple("notes/a.txt", Source.text("hello"))
    assert.isTrue(Option.isSome(yield* emulator.object("notes/a.txt")))
  }).pipe(Effect.provide(Test))
)
