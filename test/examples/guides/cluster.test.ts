/** The snippets of the guide to many machines, run in one process against an emulator. */
import { assert, describe, it } from "@effect/vitest"
import { Jobs } from "effect-oss/cluster"
import { OssEmulator } from "effect-oss/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onVideoUploaded } from "../readme/receive.ts"
import * as Guide from "./cluster/jobs.ts"
import { runner } from "./cluster/runner.ts"
import * as Submit from "./cluster/submit.ts"

describe("the guide to many machines", () => {
  it.scopedLive("uploads one file, a list and a stream, tells of them, pauses, and tries dead letters again", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oss-guide-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const paths = Array.from({ length: 4 }, (_, i) => join(folder, `${i}.mp4`))
      paths.forEach((path, i) => writeFileSync(path, new Uint8Array(1000 * i + 1).fill(i)))
      const emulator = yield* OssEmulator.make({
        bucket: "media",
        receivers: { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
      })
      const { credentials, endpoint, region } = emulator
      const environment = ConfigProvider.fromMap(
        new Map([
          ["OSS_ACCESS_KEY_ID", credentials.accessKeyId],
          ["OSS_ACCESS_KEY_SECRET", Redacted.value(credentials.accessKeySecret)]
        ])
      )

      yield* Effect.gen(function* () {
        const [first, ...others] = yield* Effect.forEach(paths, Submit.request)
        const receipt = yield* Submit.one(paths[0]!)
        assert.deepStrictEqual(receipt.callback, { _tag: "Answered", answer: '{"videoId":"video-of-u_42"}' })

        const missing = {
          ...first!,
          key: "videos/missing.mp4",
          source: { ...first!.source, path: `${folder}/missing` }
        }
        assert.deepStrictEqual(yield* Submit.list([...others, missing]), { stored: 3, failed: 1 })
        assert.deepStrictEqual(yield* Submit.feed(Stream.fromIterable(others)), { stored: 3, failed: 0 })

        const { dead, progress, receipts } = yield* Guide.report
        assert.deepInclude(progress.objects, { total: 4, stored: 3, failed: 1 })
        assert.strictEqual(receipts.length, 3)
        assert.deepStrictEqual(
          dead.map(({ failure, request }) => [request.key, failure.reason]),
          [["videos/missing.mp4", "SourceError"]]
        )

        writeFileSync(join(folder, "missing"), "found")
        yield* Guide.again
        const { progress: mended } = yield* Guide.report
        assert.deepInclude(mended.objects, { stored: 4, failed: 0 })
        yield* Guide.pause
        assert.strictEqual(yield* Effect.flatMap(Jobs.Jobs, (jobs) => jobs.mode("list")), "Paused")
      }).pipe(
        Effect.provide(runner({ bucket: "media", region, endpoint })),
        Effect.provide(Layer.setConfigProvider(environment))
      )
      assert.strictEqual((yield* emulator.objects()).length, 5)
    })
  )
})
