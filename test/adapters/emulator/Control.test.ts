/**
 * The control port: what tests in other languages can order.
 */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { get } from "node:http"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Client from "./Client.ts"

const control = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  Effect.flatMap(OssEmulator.OssEmulator, (oss) =>
    Effect.promise(async () => {
      const text = body === undefined ? {} : { body: JSON.stringify(body) }
      const answer = await fetch(`${oss.control}${path}`, { method, headers, ...text })
      return { status: answer.status, text: await answer.text() }
    })
  )

const test = (name: string, body: Effect.Effect<unknown, unknown, Client.Needs>) =>
  it.live(name, () => Effect.provide(body, Layer.merge(OssEmulator.layer({ control: 0 }), NodeTransport.layer())))

test(
  "orders faults one by one or in a list, tells those that wait, and forgets them",
  Effect.gen(function* () {
    yield* Client.put("k", "x")
    assert.strictEqual(
      (yield* control("POST", "/faults", { operation: "GetObject", fault: "error", status: 503 })).status,
      204
    )
    yield* control("POST", "/faults", [
      { fault: "drop", key: "a" },
      { fault: "stall", key: "b" }
    ])
    assert.strictEqual((yield* Client.get("k")).status, 503)
    assert.strictEqual(
      (yield* control("GET", "/faults")).text,
      '[{"fault":"drop","key":"a"},{"fault":"stall","key":"b"}]\n'
    )
    yield* control("PUT", "/chaos", { seed: 1, rate: 1, faults: ["error"] })
    assert.strictEqual((yield* Client.get("k")).status, 500)
    assert.strictEqual((yield* control("DELETE", "/faults")).status, 204)
    assert.strictEqual((yield* control("GET", "/faults")).text, "[]\n")
    assert.strictEqual((yield* Client.get("k")).status, 200)
  })
)

test(
  "sets the clock, and tells what happened",
  Effect.gen(function* () {
    yield* control("PUT", "/clock", { shift: 3_600_000 })
    assert.strictEqual((yield* Client.get("k")).xml("Code"), "RequestTimeTooSkewed")
    yield* control("PUT", "/clock", { time: 0 })
    assert.strictEqual((yield* Client.get("k", { skew: -Date.now() })).status, 404)
    yield* control("DELETE", "/clock")
    assert.strictEqual((yield* Client.get("k")).status, 404)
    const requests = JSON.parse((yield* control("GET", "/requests")).text) as ReadonlyArray<{ code: string }>
    assert.deepStrictEqual(
      requests.map(({ code }) => code),
      ["RequestTimeTooSkewed", "NoSuchKey", "NoSuchKey"]
    )
    assert.strictEqual((yield* control("GET", "/callbacks")).text, "[]\n")
  })
)

test(
  "refuses what it does not know, and says what it does",
  Effect.gen(function* () {
    const cases: ReadonlyArray<readonly [string, string, unknown, number]> = [
      ["POST", "/faults", { fault: "earthquake" }, 400],
      ["POST", "/faults", { fault: "drop", operaton: "PutObject" }, 400],
      ["POST", "/faults", { fault: "error", status: 200 }, 400],
      ["PUT", "/chaos", { seed: 1, rate: 2, faults: [] }, 400],
      ["PUT", "/clock", { shift: "1" }, 400],
      ["GET", "/nothing", undefined, 404],
      ["DELETE", "/requests", undefined, 404]
    ]
    for (const [method, path, body, status] of cases) {
      const answer = yield* control(method, path, body)
      assert.strictEqual(answer.status, status, answer.text)
    }
  })
)

test(
  "is not for web pages that have a name point here",
  Effect.gen(function* () {
    const oss = yield* OssEmulator.OssEmulator
    const status = yield* Effect.async<number | undefined>((resume) => {
      // fetch does not let one choose the Host.
      get(`${oss.control}/faults`, { headers: { host: "evil.example.com" } }, (answer) => {
        answer.resume()
        resume(Effect.succeed(answer.statusCode))
      })
    })
    assert.strictEqual(status, 403)
  })
)
