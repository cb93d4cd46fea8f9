/**
 * Application servers in the same process: callbacks go to their handlers without a socket, but signed and verified.
 *
 * Given as a list, each callback is offered to one receiver after the other, until one does not reject it. Given by URL, a
 * callback reaches the receiver of its URL (without the query), and other URLs are called over the network.
 */
import * as Effect from "effect/Effect"
import type * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import type { Crypto } from "../../core/ports/Crypto.ts"
import type { CallbackSender } from "./callback/index.ts"

export type Receivers<R> =
  ReadonlyArray<CallbackReceiver.Receiver<R>> | Readonly<Record<string, CallbackReceiver.Receiver<R>>>

type Url = Parameters<NonNullable<CallbackSender.Options["receiver"]>>[0]

// A list of receivers, as opposed to a record of them: Array.isArray does not tell readonly arrays apart.
const isList = <R>(receivers: Receivers<R>): receivers is ReadonlyArray<CallbackReceiver.Receiver<R>> =>
  Array.isArray(receivers)

// What a receiver answers to what is not meant for it: unsigned, another bucket, another body.
const isRejection = ({ status }: CallbackReceiver.Answer): boolean => status === 400 || status === 403

const candidates = <R>(receivers: Receivers<R>, url: Url): ReadonlyArray<CallbackReceiver.Receiver<R>> => {
  if (isList(receivers)) return receivers
  const written = `${url.secure ? "https" : "http"}://${url.authority}${url.path}`
  const found = Object.hasOwn(receivers, written) ? receivers[written] : undefined
  return found === undefined ? [] : [found]
}

/**
 * The receivers as the callback's sender asks for them. `trusting` gives handlers what they need, and the keys they are to
 * trust.
 */
export const make =
  <R>(
    receivers: Receivers<R>,
    trusting: <A>(effect: Effect.Effect<A, never, R | Crypto>) => Effect.Effect<A>
  ): NonNullable<CallbackSender.Options["receiver"]> =>
  (url) => {
    const [first, ...others] = candidates(receivers, url)
    if (first === undefined) return undefined
    return (request) =>
      Effect.gen(function* () {
        let answer = yield* trusting(first.handle(request))
        for (const receiver of others) {
          if (!isRejection(answer)) break
          answer = yield* trusting(receiver.handle(request))
        }
        return answer
      })
  }
