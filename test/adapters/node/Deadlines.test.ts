/** One timer keeps the limits of all requests, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { execFile } from "node:child_process"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Deadlines from "../../../adapters/node/Deadlines.ts"

describe("Deadlines", () => {
  it("calls each once its time has passed, whatever their order, and none that was lifted", async () => {
    const began = performance.now()
    const rung: Array<readonly [limit: number, after: number]> = []
    const lifts = [120, 30, 90, 60, 30, 5].map((limit) =>
      Deadlines.after(limit, () => rung.push([limit, performance.now() - began]))
    )
    lifts[2]?.()
    lifts[5]?.()
    lifts[5]?.()
    await sleep(200)
    assert.deepEqual(
      rung.map(([limit]) => limit),
      [30, 30, 60, 120]
    )
    for (const [limit, after] of rung) assert.isAtLeast(after, limit)
    for (const lift of lifts) lift()
  })

  it("takes new ones from one that rings, and keeps the others when one is lifted twice", async () => {
    const rung: Array<string> = []
    Deadlines.after(10, () => {
      rung.push("first")
      Deadlines.after(10, () => rung.push("made by the first"))
    })
    const lift = Deadlines.after(15, () => rung.push("lifted"))
    Deadlines.after(40, () => rung.push("last"))
    lift()
    lift()
    await sleep(100)
    assert.deepEqual(rung, ["first", "made by the first", "last"])
  })

  it("does not call one that is due with another, and lifted by it", async () => {
    const rung: Array<string> = []
    const lifts: Array<() => void> = []
    const act = (name: string) => () => {
      rung.push(name)
      for (const lift of lifts) lift()
    }
    lifts.push(Deadlines.after(10, act("first")), Deadlines.after(10, act("second")))
    const until = performance.now() + 20
    while (performance.now() < until); // so that both are due when the timer rings
    await sleep(30)
    assert.deepEqual(rung, ["first"])
  })

  it("keeps a process while one is wanted, and no longer", async () => {
    const module = JSON.stringify(fileURLToPath(new URL("../../../adapters/node/Deadlines.ts", import.meta.url)))
    const script = `
      const { after } = await import(${module})
      const began = performance.now()
      const lift = after(60_000, () => {})
      after(100, () => {})
      setTimeout(lift, 150)
      process.on("exit", () => console.log(Math.round(performance.now() - began)))`
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "--eval", script])
    assert.isAtLeast(Number(stdout), 100)
    assert.isBelow(Number(stdout), 10_000)
  })

  it("cuts what a timer cannot count", () => {
    assert.strictEqual(Deadlines.timerMillis(Duration.days(365)), 2 ** 31 - 1)
    assert.strictEqual(Deadlines.timerMillis(Duration.seconds(1)), 1000)
  })
})
