/**
 * Every TypeScript snippet in a README is a file under test/examples, word for word: compiled with everything else, and run
 * by the tests below. What guides link to exists.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as Emulated from "../support/Emulated.ts"
import { publish } from "../examples/readme/upload.ts"
import { fiveWays } from "../examples/readme/fiveWays.ts"
import { makeNotes } from "../examples/readme/promise.ts"
import { onVideoUploaded } from "../examples/readme/receive.ts"
import { report } from "../examples/readme/stream.ts"

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

  it("of the README are all run below", () => {
    const text = readFileSync(join(root, "README.md"), "utf8")
    const shown = [...text.matchAll(/^<!-- test\/examples\/readme\/(\S+) -->$/gm)].map(([, file]) => file)
    assert.deepEqual(shown, ["contract.ts", "upload.ts", "receive.ts", "fiveWays.ts", "stream.ts", "promise.ts"])
  })
})

describe("the Chinese README", () => {
  const languages = ["README.md", "README.zh-CN.md"].map((file) => readFileSync(join(root, file), "utf8"))
  const both = (found: (text: string) => ReadonlyArray<string | undefined>) => languages.map(found)

  it("shows the same code and the same commands as the English one", () => {
    const code = both((text) =>
      [...text.matchAll(/^(?:> )?```(?:ts|sh)\n([\s\S]*?)```/gm)].map(([, block]) => block!.replace(/ +# .*$/gm, ""))
    )
    assert.isAbove(code[0]!.length, 6)
    assert.deepEqual(code[1], code[0])
  })

  it("leads to the same pages, and to pictures in its own words", () => {
    const links = both((text) =>
      [...text.matchAll(/\]\((?!README)([^)]+)\)/g)].map(([, link]) => link!.replace(".zh-CN.svg", ".svg")).sort()
    )
    assert.isAbove(links[0]!.length, 10)
    assert.deepEqual(links[1], links[0])
  })

  it("draws the callback's round trip as the English one does", () => {
    const drawings = ["core/callback.svg", "core/callback.zh-CN.svg"].map((file) =>
      readFileSync(join(root, file), "utf8")
        .replace(/lang="[^"]+"/, "")
        .replace(/(<(?:title|desc|text)\b[^>]*>)[^<]+/g, "$1")
    )
    assert.strictEqual(drawings[1], drawings[0])
  })

  it("has the same chapters, and speaks of the same names in its tables", () => {
    const names = both((text) =>
      [...text.matchAll(/^(##) |^\| `([\w.]+)` /gm)].map(([, chapter, name]) => chapter ?? name)
    )
    assert.isAbove(names[0]!.length, 15)
    assert.deepEqual(names[1], names[0])
  })
})

describe("links", () => {
  it("of all guides lead to what is there", () => {
    const anchorsOf = (file: string) =>
      [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\p{L}\p{N}_ -]/gu, "")
          .replaceAll(" ", "-")
      )
    const broken = guides.flatMap((guide) =>
      [...readFileSync(join(root, guide), "utf8").matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)].flatMap(
        ([link, path = "", anchor]) => {
          const target = path === "" ? join(root, guide) : join(root, dirname(guide), path)
          const isThere = existsSync(target) && (anchor === undefined || anchorsOf(target).includes(anchor))
          return isThere ? [] : [`${guide}: ${link}`]
        }
      )
    )
    assert.deepEqual(broken, [])
  })
})

const media = Effect.gen(function* () {
  const receivers = { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
  const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
  return { emulator, client: Layer.fresh(Emulated.client(emulator)) }
})

/** A folder for the length of the test, and in it a film of 20 MiB. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "effect-oss-readme-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)
const film = (directory: string) => {
  const path = join(directory, "holiday.mp4")
  writeFileSync(path, new Uint8Array(20 * 1024 * 1024).fill(7))
  return path
}

describe("the README's first code", () => {
  it.scopedLive("uploads, is told, and hands back the application's answer", () =>
    Effect.gen(function* () {
      const { client } = yield* media
      const path = film(yield* folder)
      assert.strictEqual(yield* publish(path, "u_42").pipe(Effect.provide(client)), "video-of-u_42")
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )
})

describe("the README's other code", () => {
  it.scopedLive("uploads in five ways, each with the callback's answer", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* media
      const directory = yield* folder
      const answers = yield* fiveWays(film(directory), join(directory, "checkpoints")).pipe(Effect.provide(client))
      assert.deepEqual(answers, Array(5).fill("video-of-u_42"))
      assert.strictEqual((yield* emulator.objects()).length, 5)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.scopedLive("uploads a stream of unknown length", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* media
      const size = yield* report.pipe(Effect.provide(client))
      const stored = Option.getOrThrow(yield* emulator.object("reports/lines.txt"))
      assert.strictEqual(stored.length, size)
      assert.isTrue(new TextDecoder().decode(stored).endsWith("\nline 100000\n"))
    })
  )

  it.scopedLive("uploads by promises", () =>
    Effect.gen(function* () {
      const { client, emulator } = yield* media
      const notes = makeNotes(client)
      const { key } = yield* Effect.promise(() => notes.save("notes/a.txt", "hello"))
      yield* Effect.promise(() => notes.close())
      assert.strictEqual(Buffer.from(Option.getOrThrow(yield* emulator.object(key))).toString(), "hello")
    })
  )
})
