/**
 * What the ways to upload share while they run: the file, the options, what to tell, and how to try again.
 */
import * as Crc64 from "../../core/model/Crc64.ts"
import * as Answer from "./Answer.ts"
import type { Options, State } from "./Options.ts"
import * as Patience from "./Patience.ts"
import * as Send from "./Send.ts"
import { UploadFailed } from "./UploadFailed.ts"

export interface Job {
  readonly file: Blob
  readonly options: Options
  readonly report: (sent: number) => void
  readonly state: (state: State) => void
}

/** A job that tells the page what changes, and only that. */
export const make = (file: Blob, options: Options): Job => {
  let highest = -1
  let last: State | undefined
  return {
    file,
    options,
    report: (bytes) => {
      const sent = Math.min(bytes, file.size)
      if (sent <= highest) return
      highest = sent
      options.onProgress?.({ sent, total: file.size })
    },
    state: (state) => {
      if (state !== last) options.onState?.((last = state))
    }
  }
}

/** Reads a piece of the file. Rejects with `Changed` when the file on disk is another by now. */
export const read = async (file: Blob, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
  try {
    const bytes = new Uint8Array(await file.slice(start, end).arrayBuffer())
    if (bytes.length === end - start) return bytes
  } catch (cause) {
    throw new UploadFailed("Changed", "the file changed or went away since it was chosen", { cause })
  }
  throw new UploadFailed("Changed", `the file ended before byte ${end}`)
}

const piece = 4 * 1024 * 1024

/** CRC-64 of the whole file, in pieces, so that the page stays alive meanwhile. */
export const crc64 = async (file: Blob, signal: AbortSignal): Promise<bigint> => {
  const hasher = Crc64.make()
  for (let at = 0; at < file.size; at += piece) {
    signal.throwIfAborted()
    hasher.update(await read(file, at, Math.min(at + piece, file.size)))
  }
  return hasher.digest()
}

/** A refusal that may pass, or no answer at all. */
class Transient extends Error {
  readonly failure: UploadFailed
  constructor(failure: UploadFailed) {
    super(failure.message)
    this.failure = failure
  }
}

const isTransient = (error: unknown): boolean =>
  error instanceof Transient ||
  (error instanceof UploadFailed && ["Network", "Stalled", "Corrupt"].includes(error.code))

/**
 * Sends a request until it is answered, other than with a refusal that may pass. `check` looks at each answer, and throws
 * `Corrupt` where it is to be sent again for its bytes.
 */
export const send = async (
  { options, state }: Job,
  request: () => Omit<Send.Outgoing, "signal" | "stall">,
  signal: AbortSignal,
  check: (answer: Answer.Answer) => void = () => {}
): Promise<Answer.Answer> => {
  const act = async () => {
    const { onSent, ...rest } = request()
    const answer = await (options.send ?? Send.send)({
      ...rest,
      signal,
      stall: options.stall ?? 60_000,
      onSent: (bytes) => {
        state("running")
        onSent(bytes)
      }
    })
    if (Answer.isTransient(answer)) throw new Transient(Answer.toFailure(answer))
    check(answer)
    return answer
  }
  try {
    return await Patience.retry(act, {
      retries: options.retries ?? 8,
      signal,
      isTransient,
      onWait: () => state("waiting")
    })
  } catch (error) {
    throw error instanceof Transient ? error.failure : error
  }
}

/** Calls a function of the page's, again when there is no connection. Rejects with `Server` and its cause. */
export const ask = async <A>({ options, state }: Job, signal: AbortSignal, what: string, act: () => Promise<A>) => {
  const named = async () => {
    try {
      return await act()
    } catch (cause) {
      throw cause instanceof UploadFailed ? cause : new UploadFailed("Server", `${what} failed`, { cause })
    }
  }
  return Patience.retry(named, {
    retries: options.retries ?? 8,
    signal,
    isTransient: Patience.isLost,
    onWait: () => state("waiting")
  })
}
