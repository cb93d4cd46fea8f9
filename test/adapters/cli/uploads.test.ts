import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import * as Cli from "./Cli.ts"

const cli = Cli.install()

const day = 86_400_000

/** An upload that is begun and cut off. */
const cutOff = async (key: string): Promise<void> => {
  await cli.write("parts.bin", Cli.content(250_000))
  await Effect.runPromise(
    cli.emulator.inject({
      operation: "UploadPart",
      key,
      fault: "error",
      status: 400,
      code: "InvalidArgument",
      times: 3
    })
  )
  const { code } = await cli.run(["put", "parts.bin", `oss://examplebucket/${key}`, "--part-size", "100KiB"])
  expect(code).toBe(1)
  Effect.runSync(cli.emulator.faults.clear)
}

const pending = async (): Promise<ReadonlyArray<string>> =>
  (await Effect.runPromise(cli.emulator.uploads())).map(({ upload }) => upload.key).sort()

describe("uploads", () => {
  it("lists what was cut off, and aborts what is too old", async () => {
    // OSS's clock goes by: two uploads of eight days ago, one of today.
    Effect.runSync(cli.emulator.clock.shift(-8 * day))
    await cutOff("videos/old")
    await cutOff("music/old")
    Effect.runSync(cli.emulator.clock.set(undefined))
    await cutOff("videos/new")

    const all = await cli.run(["uploads", "list", "oss://examplebucket"])
    expect(all).toMatchObject({ code: 0, stderr: "" })
    const line = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z {2}[0-9A-F]{32} {2}`
    expect(all.stdout).toMatch(new RegExp(`^${line}music/old\n${line}videos/new\n${line}videos/old\n$`))
    const old = await cli.json(["uploads", "list", "oss://examplebucket/videos/", "--older-than", "7d"])
    expect(old).toMatchObject({ code: 0, value: { count: 1, uploads: [{ key: "videos/old" }] } })

    const dry = await cli.run(["uploads", "abort", "oss://examplebucket/videos/", "--older-than", "7d", "--dry-run"])
    expect(dry).toMatchObject({ code: 0, stderr: "1 upload would be aborted\n" })
    expect(await pending()).toEqual(["music/old", "videos/new", "videos/old"])

    const aborted = await cli.run(["uploads", "abort", "oss://examplebucket", "--older-than", "7d"])
    expect(aborted).toMatchObject({ code: 0, stderr: "2 uploads aborted\n" })
    expect(await pending()).toEqual(["videos/new"])
    const rest = await cli.json(["uploads", "abort", "oss://examplebucket", "--older-than", "0s"])
    expect(rest).toMatchObject({ code: 0, value: { count: 1, uploads: [{ key: "videos/new" }] } })
    const none = await cli.run(["uploads", "list", "oss://examplebucket"])
    expect(none).toEqual({ code: 0, stdout: "", stderr: "none\n" })
  })

  it("asks how old is too old", async () => {
    const { code, stderr } = await cli.run(["uploads", "abort", "oss://examplebucket"])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "error: --older-than is missing: longer than any upload takes, 7d; 0s for all\n"
    })
  })
})
