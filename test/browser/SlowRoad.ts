/**
 * A road to a port of this machine that takes only so many bytes a second from the client: what an uplink is.
 *
 * Chromium's own throttling leaves uploads to the loopback as fast as they are.
 */
import * as Net from "node:net"

export interface SlowRoad {
  readonly port: number
  /** Bytes per second, of all connections together. */
  readonly limit: (bytesPerSecond: number) => void
  readonly close: () => Promise<void>
}

/** How often bytes are let pass, in milliseconds. */
const tick = 20

export const open = (target: number): Promise<SlowRoad> =>
  new Promise((resolve) => {
    let rate = Infinity
    /** Bytes that may pass now, shared by who comes first. */
    let allowance = 0
    const waiting: Array<() => void> = []
    const timer = setInterval(() => {
      allowance = Math.min(allowance + (rate * tick) / 1000, rate / 10)
      for (const go of waiting.splice(0)) go()
    }, tick)
    const mustWait = (): boolean => rate !== Infinity && allowance <= 0
    const sockets = new Set<Net.Socket>()

    const carry = async (from: Net.Socket, to: Net.Socket): Promise<void> => {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        while (mustWait()) await new Promise<void>((go) => waiting.push(go))
        allowance -= chunk.length
        if (!to.write(chunk)) await new Promise((go) => to.once("drain", go).once("close", go))
      }
      to.end()
    }
    const server = Net.createServer({ highWaterMark: 65_536 }, (client) => {
      const upstream = Net.connect(target, "127.0.0.1")
      for (const [socket, other] of [
        [client, upstream],
        [upstream, client]
      ] as const) {
        sockets.add(socket)
        socket.setNoDelay()
        socket.on("error", () => {})
        socket.on("close", () => {
          sockets.delete(socket)
          other.destroy()
        })
      }
      upstream.pipe(client)
      carry(client, upstream).catch(() => {})
    })
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as Net.AddressInfo // it listens on a port
      resolve({
        port,
        limit: (bytesPerSecond) => {
          rate = bytesPerSecond
          allowance = 0
        },
        close: () => {
          clearInterval(timer)
          for (const socket of sockets) socket.destroy()
          return new Promise((done) => server.close(() => done()))
        }
      })
    })
  })
