/** AgentName: an agent names its connections as Node does, and no request takes another server's. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import * as Https from "node:https"
import * as AgentName from "../../../adapters/node/AgentName.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import { empty } from "../../../core/ports/Transport.ts"
import * as Certificate from "../../support/Certificate.ts"
import * as TestServer from "../../support/TestServer.ts"

const options = fc.record({
  host: fc.constantFrom("a", "b", "::1", undefined),
  port: fc.constantFrom(80, 443, undefined),
  servername: fc.constantFrom("a", "b", "", undefined)
})

describe("AgentName.remember", () => {
  for (const [name, make] of [
    ["http", () => new Http.Agent()],
    ["https", () => new Https.Agent({ ca: Certificate.authority })]
  ] as const) {
    it(`${name}: gives the names that Node gives, whatever was asked before`, () => {
      fc.assert(
        fc.property(fc.array(options, { minLength: 1, maxLength: 20 }), (asked) => {
          const [plain, remembering] = [make(), AgentName.remember(make())]
          const names = (agent: Http.Agent) => asked.map((options) => agent.getName(options as Http.RequestOptions))
          assert.deepStrictEqual(names(remembering), names(plain))
          assert.strictEqual(remembering.getName(), plain.getName())
        })
      )
    })
  }

  it("has a name made once for as long as it stays the same", () => {
    let made = 0
    class Counting extends Http.Agent {
      override getName(options?: Parameters<Http.Agent["getName"]>[0]): string {
        made++
        return super.getName(options)
      }
    }
    const agent = AgentName.remember(new Counting())
    for (const host of ["a", "a", "a", "b", "b", "a"]) agent.getName({ host, port: 80 })
    assert.strictEqual(made, 3)
  })
})

it.scopedLive("requests to four servers by turns and at once: each has its own, over connections it keeps", () =>
  Effect.gen(function* () {
    const servers: Array<TestServer.TestServer> = []
    for (const tls of [false, true, false, true]) servers.push(yield* TestServer.start(undefined, tls ? { tls } : {}))
    const transport = yield* NodeTransport.make({ ca: Certificate.authority })
    const send = (server: TestServer.TestServer) =>
      transport.send({
        method: "PUT",
        url: `${server.origin}${path(server)}`,
        headers: {},
        body: empty,
        timeout: Duration.seconds(20),
        maxResponseBytes: 1024
      })
    const path = (server: TestServer.TestServer) => `/${servers.indexOf(server)}`
    for (let round = 0; round < 5; round++) for (const server of servers) yield* send(server)
    assert.deepStrictEqual(
      servers.map((server) => server.connections()),
      [1, 1, 1, 1]
    )
    yield* Effect.all([...servers, ...servers, ...servers].map(send), { concurrency: "unbounded" })
    for (const server of servers) {
      assert.strictEqual(server.received.length, 8)
      assert.deepStrictEqual(new Set(server.received.map(({ target }) => target)), new Set([path(server)]))
    }
  })
)
