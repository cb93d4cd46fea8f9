/**
 * From the names of hosts to addresses, once, before the object is stored: the connection is then made to just these
 * addresses, so that a name which points elsewhere a moment later leads nowhere else.
 *
 * Source: the articles by EC 0007-00000007 and 0007-00000008, https://help.aliyun.com/en/oss/user-guide/0007-00000008
 */
import * as Effect from "effect/Effect"
import * as Dns from "node:dns"
import { isIPv4 } from "node:net"
import type { CallbackOrder } from "./CallbackOrder.ts"
import * as Refusal from "./CallbackRefusal.ts"
import type { CallbackUrl } from "./CallbackUrl.ts"
import * as PrivateAddress from "./PrivateAddress.ts"

export interface ResolvedUrl extends CallbackUrl {
  /** Where to connect to, in order of preference. Empty only for a URL that never meets a socket. */
  readonly addresses: ReadonlyArray<string>
}

/** An order whose hosts are known: what `CallbackSender.deliver` takes. */
export interface ResolvedOrder extends CallbackOrder {
  readonly urls: ReadonlyArray<ResolvedUrl>
}

/** The addresses of a host; none if there is no such host. */
export type LookUp = (hostname: string) => Effect.Effect<ReadonlyArray<string>>

/** Asks the system, as every program does: /etc/hosts, then DNS. IPv4 first. Gives up after `timeout` milliseconds. */
export const systemLookUp =
  (timeout: number): LookUp =>
  (hostname) =>
    Effect.async((resume) => {
      const done = (addresses: ReadonlyArray<string>) => {
        clearTimeout(timer)
        resume(Effect.succeed(addresses))
      }
      const timer = setTimeout(() => done([]), timeout)
      Dns.lookup(hostname, { all: true, verbatim: false }, (error, found) => {
        done(error === null ? found.map(({ address }) => address) : [])
      })
      return Effect.sync(() => clearTimeout(timer))
    })

export interface Options {
  readonly lookUp: LookUp
  readonly privateAddressesAllowed: boolean
  /** URLs that never meet a socket, and need no address. */
  readonly isLocal: (url: CallbackUrl) => boolean
}

/** Looks up every host of an order. Fails with EC 07 when one is unknown, with EC 08 when one has a private address. */
export const resolve = (
  order: CallbackOrder,
  { lookUp, privateAddressesAllowed, isLocal }: Options
): Effect.Effect<ResolvedOrder, Refusal.CallbackRefusal> =>
  Effect.gen(function* () {
    const urls: Array<ResolvedUrl> = []
    for (const url of order.urls) {
      if (isLocal(url)) {
        urls.push({ ...url, addresses: [] })
        continue
      }
      const addresses = isIPv4(url.hostname) ? [url.hostname] : yield* lookUp(url.hostname)
      if (addresses.length === 0) return yield* Refusal.unknownHost(url.hostname)
      if (!privateAddressesAllowed && addresses.some(PrivateAddress.includes)) {
        return yield* Refusal.privateAddress(url.hostname)
      }
      urls.push({ ...url, addresses })
    }
    return { ...order, urls }
  })
