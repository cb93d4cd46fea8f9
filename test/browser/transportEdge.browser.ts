/** FetchTransport in workerd: the contract of its port, as far as the edge lets it be kept. */
import * as Layer from "effect/Layer"
import { afterAll, beforeAll } from "vitest"
import { Transport } from "../../core/ports/Transport.ts"
import { transportContract } from "../contracts/Transport.contract.ts"
import * as Bridge from "./Bridge.ts"
import * as Edge from "./Edge.ts"
import type { Outcome } from "./Remote.ts"

let edge: Edge.Edge
let home: string

beforeAll(async () => {
  home = await Bridge.open()
  edge = await Edge.open("transport.worker.ts")
})

afterAll(async () => {
  await edge.close()
  Bridge.close()
})

const transport = Bridge.transport("fetch", async (order) => {
  const answer = await fetch(edge.url, { method: "POST", body: JSON.stringify({ home, order }) })
  return (await answer.json()) as Outcome // the worker's
})

transportContract("FetchTransport in workerd", Layer.succeed(Transport, transport), {
  without: [
    "raw target",
    "header order",
    "streaming",
    "progress",
    "early answer",
    "no spare connections",
    "no needless length",
    "causes"
  ]
})
