/** Whether the holder of a lock still runs. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as wait } from "node:timers/promises"
import * as Owner from "../../../adapters/fs/Owner.ts"

const linux = it.runIf(process.platform === "linux")

/** The standing of this process, as a lock with something changed would tell it. */
const standing = async (changed: Partial<Owner.Owner>, here: Partial<Owner.Owner> = {}) => {
  const self = await Owner.self()
  return Owner.standing({ ...self, ...changed }, { ...self, ...here })
}

/** The number of a process that has ended. */
const ended = async (): Promise<number> => {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" })
  await once(child, "close")
  return child.pid! // it was started
}

describe("Owner.standing", () => {
  it("knows this process as running", async () => {
    assert.strictEqual(await standing({}), "Runs")
  })

  it("knows a process that has ended as gone", async () => {
    assert.strictEqual(await standing({ pid: await ended() }), "Gone")
  })

  it("knows that a number is used again when the start times differ", async () => {
    assert.strictEqual(
      await standing({ started: "1" }, { started: "2" }),
      process.platform === "linux" ? "Gone" : "Runs"
    )
  })

  it("goes by the number alone where no start time is known", async () => {
    assert.strictEqual(await standing({ started: "" }), "Runs")
  })

  it("takes a process of before the machine's last start as gone", async () => {
    assert.strictEqual(await standing({ boot: "a" }, { boot: "b" }), "Gone")
  })

  it("cannot see processes of other machines", async () => {
    assert.strictEqual(await standing({ host: "other", boot: "a" }, { boot: "b" }), "Elsewhere")
    assert.strictEqual(await standing({ host: "other", boot: "", pid: await ended() }), "Elsewhere")
  })

  it("cannot see processes of other containers of this machine", async () => {
    assert.strictEqual(await standing({ namespace: "pid:[1]" }, { namespace: "pid:[2]" }), "Elsewhere")
  })

  it("sees processes of this machine, also when its name has changed since", async () => {
    assert.strictEqual(await standing({ host: "old name", boot: "a" }, { boot: "a" }), "Runs")
  })

  linux("tells the start time as the kernel does, in the 22nd field of stat", async () => {
    const { pid, started } = await Owner.self()
    const awk = spawn("awk", ['{ sub(/.*\\)/, "1 (2)"); print $22 }', `/proc/${pid}/stat`], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    const [line] = (await once(awk.stdout, "data")) as [Buffer]
    assert.strictEqual(started, line.toString().trim())
  })

  linux("takes a process of another user as running", async () => {
    assert.strictEqual(await standing({ pid: 1, started: "" }), "Runs")
  })

  linux("takes a zombie as gone: it was killed, and its parent has not asked how it ended", async () => {
    // The shell starts a child and becomes a program that never asks for it.
    const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] })
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer]
      const pid = Number(line.toString())
      while (!/\) Z /.test(await Fs.readFile(`/proc/${pid}/stat`, "utf8"))) await wait(5)
      assert.strictEqual(await standing({ pid, started: "" }), "Gone")
    } finally {
      parent.kill("SIGKILL")
    }
  })

  linux("is not misled by a program's name", async () => {
    const folder = await Fs.mkdtemp(join(tmpdir(), "owner-"))
    const named = join(folder, "x) Z 1 (1) Z 1")
    await Fs.symlink(process.execPath, named)
    const child = spawn(named, ["-e", "setInterval(() => {}, 1000); console.log('up')"], {
      stdio: ["ignore", "pipe", "ignore"]
    })
    try {
      await once(child.stdout, "data")
      assert.match(await Fs.readFile(`/proc/${child.pid}/comm`, "utf8"), /^x\) Z 1/)
      assert.strictEqual(await standing({ pid: child.pid!, started: "" }), "Runs")
    } finally {
      child.kill("SIGKILL")
      await Fs.rm(folder, { recursive: true })
    }
  })
})

describe("Owner.encode and decode", () => {
  it("give back what was written", async () => {
    const self = await Owner.self()
    assert.deepStrictEqual(Option.getOrNull(Owner.decode(Owner.encode(self))), self)
  })

  it("find no owner in any other text", () => {
    const owner = { pid: 1, host: "h", boot: "", namespace: "", started: "", since: 0 }
    const wrong = [
      { ...owner, pid: 0 },
      { ...owner, pid: -1 },
      { ...owner, pid: "1" },
      { ...owner, since: 8_640_000_000_000_001 },
      { ...owner, host: undefined }
    ]
    assert.deepStrictEqual(
      [owner, ...wrong].map((o) => Option.isSome(Owner.decode(JSON.stringify(o)))),
      [true, ...wrong.map(() => false)]
    )
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), (text) => Option.isNone(Owner.decode(text))),
      { numRuns: 10_000 }
    )
  })
})
