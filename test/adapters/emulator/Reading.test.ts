/**
 * Bodies read by events: every byte, in order, at the taker's pace, and what nobody took is still there afterwards.
 */
import { assert, it } from "@effect/vitest"
import * as NodeCrypto from "node:crypto"
import { once } from "node:events"
import * as NodeHttp from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type * as Http from "../../../adapters/emulator/Http.ts"
import * as Reading from "../../../adapters/emulator/Reading.ts"

const content = NodeCrypto.randomBytes(1_000_003)

type Each = NonNullable<Http.Incoming["each"]>

/** Answers a POST of the content with what `use` makes of it. `send` may do the sending its own way. */
const exchange = async <A>(
  use: (each: Each, rest: AsyncIterator<Uint8Array>) => Promise<A>,
  send: (request: NodeHttp.ClientRequest) => void = (request) => request.end(content)
): Promise<A> => {
  let used: Promise<A> | undefined
  const server = NodeHttp.createServer((incoming, outgoing) => {
    const [{ each }, rest] = Reading.of(incoming)
    assert.isDefined(each)
    used = use(each, rest)
    used.then(
      () => outgoing.end(),
      () => outgoing.destroy()
    )
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  try {
    const { port } = server.address() as AddressInfo // it listens on TCP
    const request = NodeHttp.request({ port, method: "POST", headers: { "content-length": content.length } })
    const gone = new Promise((resolve) => request.on("close", resolve).on("error", resolve))
    request.on("response", (response) => response.resume())
    send(request)
    await gone
    assert.isDefined(used)
    return await used
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const copying = () => {
  const chunks: Array<Uint8Array> = []
  return { copy: (chunk: Uint8Array) => void chunks.push(Uint8Array.from(chunk)), bytes: () => Buffer.concat(chunks) }
}

it("hands over every byte, whether a chunk is taken at once or in time", async () => {
  for (const pause of [() => undefined, () => Promise.resolve(), () => sleep(1).then(() => undefined)]) {
    const { copy, bytes } = copying()
    await exchange((each) =>
      each((chunk) => {
        copy(chunk)
        return pause()
      })
    )
    assert.isTrue(content.equals(bytes()))
  }
})

it("hands over nothing while a chunk is being taken, and leaves its memory alone until then", async () => {
  let taking = 0
  const { copy, bytes } = copying()
  await exchange((each) =>
    each(async (chunk) => {
      assert.strictEqual(++taking, 1)
      await sleep(2)
      copy(chunk)
      taking--
    })
  )
  assert.isTrue(content.equals(bytes()))
})

it("frees the memory of what was taken", async () => {
  const taken: Array<Uint8Array> = []
  await exchange((each) => each((chunk) => void taken.push(chunk)))
  assert.isAbove(taken.length, 1)
  assert.deepStrictEqual(new Set(taken.map((chunk) => chunk.byteLength)), new Set([0]))
})

it("fails with what the taker fails with, and what was not taken can still be read", async () => {
  for (const refuse of [
    () => {
      throw new Error("too much")
    },
    () => sleep(2).then(() => Promise.reject(new Error("too much")))
  ]) {
    let length = 0
    const refused = await exchange(async (each, rest) => {
      const error = await each((chunk) => {
        length += chunk.length
        return length > 200_000 ? refuse() : undefined
      }).catch((cause: unknown) => cause)
      const { copy, bytes } = copying()
      for await (const chunk of { [Symbol.asyncIterator]: () => rest }) copy(chunk)
      assert.isTrue(content.subarray(length).equals(bytes()))
      return error
    })
    assert.match(String(refused), /too much/)
  }
})

it("fails when the client leaves in the midst of the body, also while a chunk is being taken", async () => {
  const leave = (request: NodeHttp.ClientRequest) => {
    request.write(content.subarray(0, 300_000), () => setTimeout(() => request.destroy(), 20))
  }
  const once = await exchange((each) => each(() => undefined).catch((cause: unknown) => cause), leave)
  assert.instanceOf(once, Error)
  let taken = false
  const late = await exchange(
    (each) =>
      each(async () => {
        await sleep(100)
        taken = true
      }).catch((cause: unknown) => [cause, taken] as const),
    leave
  )
  assert.instanceOf(late?.[0], Error)
  assert.isTrue(late?.[1])
})
