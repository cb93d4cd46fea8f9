/**
 * The book of a cluster's jobs: who may go on, how far each has come, which objects failed for good and why.
 *
 * The port. Engines know executions; people know jobs. Every entry may be written again with the same outcome, because steps
 * are repeated after a crash. Counterpart: `SqlJobs`. In memory, for tests and one process: `layerMemory`. Sizes in bytes.
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Receipt, UploadFailed } from "../upload/Receipt.ts"
import { attemptOf, type UploadRequest } from "../upload/UploadRequest.ts"

/** The book cannot be read or written. Trying again may help. */
export class JobsError extends Data.TaggedError("JobsError")<{ readonly detail: string; readonly cause?: unknown }> {
  override get message(): string {
    return `the book of jobs: ${this.detail}`
  }
}

/** Whether a job's uploads go on, wait, or end. A job nobody has spoken of is `Running`. */
export type Mode = "Running" | "Paused" | "Cancelled"

export interface Progress {
  readonly mode: Mode
  readonly objects: {
    readonly total: number
    readonly waiting: number
    readonly stored: number
    readonly failed: number
    /** Among the stored ones: those whose callback failed. */
    readonly callbackFailed: number
  }
  /** Bytes at the server: of stored objects, and of finished ranges of those under way. */
  readonly bytes: number
}

/** An object that failed for good. */
export interface DeadLetter {
  readonly request: UploadRequest
  readonly failure: UploadFailed
}

export interface Page {
  /** The last key of the page before. */
  readonly after?: string | undefined
  /** Default 1,000. */
  readonly limit?: number | undefined
}

/** How an upload ended. */
export type Outcome =
  { readonly _tag: "Stored"; readonly receipt: Receipt } | { readonly _tag: "Failed"; readonly failure: UploadFailed }

export interface Service {
  readonly mode: (job: string) => Effect.Effect<Mode, JobsError>
  readonly setMode: (job: string, mode: Mode) => Effect.Effect<void, JobsError>
  /** Notes objects that are to be uploaded. One that is there already waits again only if this is a later attempt. */
  readonly admit: (job: string, requests: ReadonlyArray<UploadRequest>) => Effect.Effect<void, JobsError>
  /** Notes that the parts from number `from` on, so many bytes, are at the server. */
  readonly sent: (job: string, key: string, from: number, bytes: number) => Effect.Effect<void, JobsError>
  /**
   * Notes the end of an attempt. The end of an earlier attempt changes nothing. What is stored stays so, and keeps the answer
   * of its application: a step that is done again after a crash may find its source gone, or the answer lost.
   */
  readonly settle: (job: string, request: UploadRequest, outcome: Outcome) => Effect.Effect<void, JobsError>
  readonly progress: (job: string) => Effect.Effect<Progress, JobsError>
  /** What failed for good, in the order of keys (by code unit in memory; by the database's order otherwise). */
  readonly deadLetters: (job: string, page?: Page) => Effect.Effect<ReadonlyArray<DeadLetter>, JobsError>
  /** The receipts of what is stored, in the same order. */
  readonly receipts: (job: string, page?: Page) => Effect.Effect<ReadonlyArray<Receipt>, JobsError>
}

export class Jobs extends Context.Tag("effect-oss/cluster/Jobs")<Jobs, Service>() {}

/** How many entries a page has unless asked otherwise. */
export const defaultLimit = 1000

interface Entry {
  readonly request: UploadRequest
  readonly outcome: Outcome | undefined
  readonly ranges: Map<number, number>
}

interface Job {
  mode: Mode
  readonly entries: Map<string, Entry>
}

const bytesOf = ({ outcome, ranges }: Entry): number => {
  if (outcome?._tag === "Stored") return outcome.receipt.size
  return outcome === undefined ? [...ranges.values()].reduce((sum, bytes) => sum + bytes, 0) : 0
}

const progressOf = ({ entries, mode }: Job): Progress => {
  const all = [...entries.values()]
  const count = (is: (entry: Entry) => boolean) => all.filter(is).length
  return {
    mode,
    objects: {
      total: all.length,
      waiting: count(({ outcome }) => outcome === undefined),
      stored: count(({ outcome }) => outcome?._tag === "Stored"),
      failed: count(({ outcome }) => outcome?._tag === "Failed"),
      callbackFailed: count(({ outcome }) => outcome?._tag === "Stored" && outcome.receipt.callback._tag === "Failed")
    },
    bytes: all.reduce((sum, entry) => sum + bytesOf(entry), 0)
  }
}

/** An empty book in memory. It ends with the process. */
export const makeMemory = (): Service => {
  const jobs = new Map<string, Job>()
  const jobOf = (name: string): Job => {
    const job = jobs.get(name) ?? { mode: "Running", entries: new Map() }
    jobs.set(name, job)
    return job
  }
  const page = <A>(
    name: string,
    { after = "", limit = defaultLimit }: Page = {},
    read: (entry: Entry) => A | undefined
  ) =>
    Effect.sync(() =>
      [...jobOf(name).entries]
        .filter(([key]) => key > after)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .flatMap(([, entry]) => read(entry) ?? [])
        .slice(0, limit)
    )
  const callbackFailed = (outcome: Outcome) => outcome._tag === "Stored" && outcome.receipt.callback._tag === "Failed"
  const isNews = (entry: Entry | undefined, request: UploadRequest, outcome: Outcome): boolean => {
    if (entry === undefined || attemptOf(entry.request) !== attemptOf(request)) {
      return entry === undefined || attemptOf(entry.request) < attemptOf(request)
    }
    const known = entry.outcome
    return (
      known?._tag !== "Stored" || (outcome._tag === "Stored" && (callbackFailed(known) || !callbackFailed(outcome)))
    )
  }
  return {
    mode: (name) => Effect.sync(() => jobOf(name).mode),
    setMode: (name, mode) => Effect.sync(() => void (jobOf(name).mode = mode)),
    admit: (name, requests) =>
      Effect.sync(() => {
        const { entries } = jobOf(name)
        for (const request of requests) {
          const entry = entries.get(request.key)
          if (entry !== undefined && attemptOf(entry.request) >= attemptOf(request)) continue
          entries.set(request.key, { request, outcome: undefined, ranges: new Map() })
        }
      }),
    sent: (name, key, from, bytes) => Effect.sync(() => void jobOf(name).entries.get(key)?.ranges.set(from, bytes)),
    settle: (name, request, outcome) =>
      Effect.sync(() => {
        const { entries } = jobOf(name)
        if (isNews(entries.get(request.key), request, outcome)) {
          entries.set(request.key, { request, outcome, ranges: new Map() })
        }
      }),
    progress: (name) => Effect.sync(() => progressOf(jobOf(name))),
    deadLetters: (name, asked) =>
      page(name, asked, ({ outcome, request }) =>
        outcome?._tag === "Failed" ? { request, failure: outcome.failure } : undefined
      ),
    receipts: (name, asked) =>
      page(name, asked, ({ outcome }) => (outcome?._tag === "Stored" ? outcome.receipt : undefined))
  }
}

/** `makeMemory` as a layer: each time it is built, an empty book. */
export const layerMemory: Layer.Layer<Jobs> = Layer.sync(Jobs, makeMemory)
