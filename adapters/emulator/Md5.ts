/**
 * MD5 beside the event loop: OSS's ETag costs more than all else that is done with a body, and runs on a thread of its own.
 *
 * Bodies of one stage or less are hashed in place. The thread starts with the first longer one, is shared by all, keeps the
 * process alive only while it works, and ends after 5 s without work. Measured on OpenSSL 3: 634 MiB in a second of CPU.
 */
import * as NodeCrypto from "node:crypto"
import { Worker } from "node:worker_threads"

/** Memory that both threads see. */
export type Shared = Uint8Array<SharedArrayBuffer>

/** One MD5 in the making. */
export interface Hasher {
  /** Takes the next bytes. They must not change until it resolves. */
  readonly update: (bytes: Shared) => Promise<void>
  /** 16 bytes; nothing may follow. */
  readonly digest: () => Promise<Buffer>
  /** Forgets it; to be called when no digest is wanted any more. */
  readonly abandon: () => void
}

const program = `
  const { createHash } = require("node:crypto")
  const { parentPort } = require("node:worker_threads")
  const hashers = new Map()
  parentPort.on("message", ({ id, stream, bytes, end }) => {
    const hasher = hashers.get(stream) ?? createHash("md5")
    hashers.set(stream, hasher)
    if (bytes !== undefined) hasher.update(bytes)
    const digest = end === "digest" ? hasher.digest() : undefined
    if (end !== undefined) hashers.delete(stream)
    parentPort.postMessage({ id, digest })
  })
`

interface Answer {
  readonly id: number
  readonly digest: Uint8Array | undefined
}

interface Thread {
  readonly worker: Worker
  readonly waiting: Map<
    number,
    { readonly resolve: (digest: Uint8Array | undefined) => void; readonly reject: (cause: unknown) => void }
  >
  streams: number
  idle: NodeJS.Timeout | undefined
}

const idleMillis = 5_000
let thread: Thread | undefined
let lastId = 0

const start = (): Thread => {
  const started: Thread = {
    worker: new Worker(program, { eval: true }),
    waiting: new Map(),
    streams: 0,
    idle: undefined
  }
  started.worker.unref()
  started.worker.on("message", ({ id, digest }: Answer) => {
    started.waiting.get(id)?.resolve(digest)
    started.waiting.delete(id)
    if (started.waiting.size === 0) started.worker.unref()
  })
  const end = (cause: unknown): void => {
    if (thread === started) thread = undefined
    for (const { reject } of started.waiting.values()) reject(cause)
    started.waiting.clear()
  }
  started.worker.on("error", end)
  started.worker.on("exit", () => end(new Error("the thread for MD5 has ended")))
  return started
}

const ask = ({ worker, waiting }: Thread, message: object): Promise<Uint8Array | undefined> =>
  new Promise((resolve, reject) => {
    const id = ++lastId
    // While somebody waits, the process must not end.
    if (waiting.size === 0) worker.ref()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, ...message })
  })

const release = (used: Thread): void => {
  used.streams--
  if (used.streams > 0) return
  used.idle = setTimeout(() => {
    if (used.streams > 0) return
    if (thread === used) thread = undefined
    void used.worker.terminate()
  }, idleMillis).unref()
}

/** A hasher on the thread. */
export const onThread = (): Hasher => {
  const used = (thread ??= start())
  clearTimeout(used.idle)
  used.streams++
  const stream = ++lastId
  let open = true
  const close = (): void => {
    if (open) release(used)
    open = false
  }
  return {
    update: async (bytes) => void (await ask(used, { stream, bytes })),
    digest: async () => {
      const digest = await ask(used, { stream, end: "digest" })
      close()
      return Buffer.from(digest ?? [])
    },
    abandon: () => {
      if (open) ask(used, { stream, end: "abandon" }).catch(() => undefined) // the thread has ended, and it with it
      close()
    }
  }
}

/** The MD5 of bytes at hand. */
export const of = (bytes: Uint8Array): Buffer => NodeCrypto.createHash("md5").update(bytes).digest()
