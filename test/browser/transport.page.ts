/**
 * The page that sends: what Node calls by `page.evaluate`.
 */
import { type Order, type Outcome, send } from "./Remote.ts"

export interface PageGlobals {
  readonly remote: {
    readonly send: (order: Order) => Promise<Outcome>
    readonly interrupt: (id: number) => void
  }
}

const running = new Map<number, AbortController>()

const remote: PageGlobals["remote"] = {
  send: (order) => {
    const controller = new AbortController()
    running.set(order.id, controller)
    return send("", order, controller.signal)
  },
  interrupt: (id) => running.get(id)?.abort()
}

Object.assign(globalThis, { remote } satisfies PageGlobals)
