/**
 * The callback side of the emulator: takes the order before the object is stored, and delivers it after.
 *
 *     const sender = yield* CallbackSender
 *     const order = yield* sender.order({ header: { callback: headers["x-oss-callback"] } })   // may refuse: 400
 *     // … the object is stored …
 *     const outcome = yield* sender.deliver(order, facts)                                       // Answered: 200, Failed: 203
 *
 * URLs are tried in order until the first success; after the last failure, its message stands. OSS allows 5 seconds; not
 * known is whether for each URL or for all: here for each. Nothing is tried twice.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import { CallbackKeys, type Service as Keys } from "./CallbackKeys.ts"
import * as CallbackOrder from "./CallbackOrder.ts"
import type { CallbackRefusal } from "./CallbackRefusal.ts"
import * as CallbackRequest from "./CallbackRequest.ts"
import type { CallbackUrl } from "./CallbackUrl.ts"
import * as Deliveries from "./Deliveries.ts"
import * as Exchange from "./Exchange.ts"
import type { Facts } from "./Facts.ts"
import * as Outcome from "./Outcome.ts"
import * as Resolution from "./Resolution.ts"

/**
 * An application server without a socket, such as the core's `CallbackReceiver`. Its answer is held to the same rules, but
 * for the time: it keeps its own. Names of headers in lower case.
 */
export type Receiver = (request: CallbackReceiver.Request) => Effect.Effect<CallbackReceiver.Answer>

export interface Options {
  /** Where the emulator serves `CallbackKeys.publicKeyPem`; asked at each delivery. */
  readonly publicKeyUrl: () => string
  /** Whether callbacks may go into private networks; true when absent. OSS itself never allows it. */
  readonly privateAddressesAllowed?: boolean | undefined
  /** For one URL, in milliseconds; 5,000 when absent. */
  readonly timeout?: number | undefined
  /** How hosts are found; as the system does when absent. */
  readonly lookUp?: Resolution.LookUp | undefined
  /** Receivers in this process; their URLs are neither looked up nor connected to. */
  readonly receiver?: ((url: CallbackUrl) => Receiver | undefined) | undefined
  readonly ca?: Exchange.Options["ca"]
  readonly rejectUnauthorized?: Exchange.Options["rejectUnauthorized"]
}

export interface Service {
  /** What the request orders, hosts looked up; `undefined` when no callback. To be asked before anything is stored. */
  readonly order: (
    sources: Omit<CallbackOrder.Sources, "privateAddressesAllowed">
  ) => Effect.Effect<Resolution.ResolvedOrder | undefined, CallbackRefusal>
  /** Calls back. Interruption closes the socket. */
  readonly deliver: (order: Resolution.ResolvedOrder, facts: Facts) => Effect.Effect<Outcome.Outcome>
  /** The last callbacks tried, the oldest first. */
  readonly deliveries: () => ReadonlyArray<Deliveries.Delivery>
}

export class CallbackSender extends Context.Tag("effect-oss/emulator/CallbackSender")<CallbackSender, Service>() {}

const defaultTimeout = 5_000

/** A sender that signs with these keys. */
export const make = (keys: Keys, options: Options): Service => {
  const deliveries = Deliveries.make()
  const timeout = options.timeout ?? defaultTimeout
  const receiver = options.receiver ?? (() => undefined)
  const resolution: Resolution.Options = {
    lookUp: options.lookUp ?? Resolution.systemLookUp(defaultTimeout),
    privateAddressesAllowed: options.privateAddressesAllowed ?? true,
    isLocal: (url) => receiver(url) !== undefined
  }
  const send = (request: CallbackRequest.CallbackRequest): Effect.Effect<Outcome.Outcome> => {
    const local = receiver(request.url)
    return local === undefined ? Exchange.send(request, { ...options, timeout }) : receive(local, request)
  }
  return {
    order: (sources) =>
      Effect.gen(function* () {
        const { privateAddressesAllowed } = resolution
        const order = yield* CallbackOrder.parse({ ...sources, privateAddressesAllowed })
        return order === undefined ? undefined : yield* Resolution.resolve(order, resolution)
      }),
    deliver: (order, facts) =>
      Effect.gen(function* () {
        let outcome: Outcome.Outcome = Outcome.cannotConnect
        for (const url of order.urls) {
          const request = CallbackRequest.make(order, url, facts, keys, options.publicKeyUrl())
          outcome = yield* send(request)
          deliveries.add(request, facts, outcome)
          if (outcome._tag === "Answered") break
        }
        return outcome
      }),
    deliveries: deliveries.list
  }
}

const receive = (receiver: Receiver, request: CallbackRequest.CallbackRequest): Effect.Effect<Outcome.Outcome> =>
  Effect.map(receiver(CallbackRequest.received(request)), ({ status, headers, body }) => {
    const head = { status, contentType: headers["content-type"], contentLength: String(body.length) }
    return Outcome.ofHead(head) ?? Outcome.ofBody(head, body)
  })

/** The sender, with the keys there are. */
export const layer = (options: Options): Layer.Layer<CallbackSender, never, CallbackKeys> =>
  Layer.effect(
    CallbackSender,
    Effect.map(CallbackKeys, (keys) => make(keys, options))
  )
