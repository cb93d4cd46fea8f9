/**
 * Every TypeScript snippet in a README is a file under test/examples, word for word: compiled with everything else, and run
 * by the tests below.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as Emulated from "../support/Emulated.ts"
import { publish } from "../examples/readme/upload.ts"
import { onVideoUploaded } from "../examples/readme/receive.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const guides = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
  (file) => /(?:^|\/)[A-Z][\w.-]*\.md$/.test(file) && !/node_modules|(?:^|\/)dist\//.test(file)
)

describe("snippets", () => {
  it("are the examples that are compiled and run, word for word", () => {
    const strays = guides.flatMap((guide) => {
      const text = readFileSync(join(root, guide), "utf8")
      return [...text.matchAll(/(?:<!-- (\S+) -->\n+)?```ts\n([\s\S]*?)```/g)].flatMap(([, file, code]) => {
        if (file === undefined) return [`${guide}: a snippet that no file stands behind`]
        return readFileSync(join(root, file), "utf8") === code ? [] : [`${guide}: ${file} says something else`]
      })
    })
    assert.deepEqual(strays, [])
  })

  it("name files that exist, and the README shows three of them", () => {
    const text = readFileSync(join(root, "README.md"), "utf8")
    assert.strictEqual([...text.matchAll(/^<!-- test\/examples\/\S+ -->$/gm)].length, 3)
  })
})

describe("the README's first code", () => {
  it.scopedLive("uploads, is told, and hands back the application's answer", () =>
    Effect.gen(function* () {
      const receivers = { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
      const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
      const path = join(tmpdir(), `effect-oss-readme-${process.pid}.mp4`)
      writeFileSync(path, new Uint8Array(20 * 1024 * 1024).fill(7))
      yield* Effect.addFinalizer(() => Effect.promise(() => import("node:fs/promises").then((fs) => fs.rm(path))))
      const answer = yield* publish(path, "u_42").pipe(Effect.provide(Layer.fresh(Emulated.client(emulator))))
      assert.strictEqual(answer, "video-of-u_42")
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
})
