/**
 * One upload of a page: by whatever the grant says, with pause, resume and cancel.
 */
import type { CallbackFailure } from "../../core/model/OssError.ts"
import type { PresignedUrl } from "../../core/model/PresignedUrl.ts"
import type { SignedForm } from "../../core/model/SignedForm.ts"
import type { PartsGrant, UploadGrant } from "../../core/model/UploadGrant.ts"
import * as Job from "./Job.ts"
import * as Memory from "./Memory.ts"
import type { Options, State } from "./Options.ts"
import * as Parts from "./Parts.ts"
import type { Uploaded } from "./Uploaded.ts"
import { UploadFailed } from "./UploadFailed.ts"
import * as Whole from "./Whole.ts"

export interface Task {
  /** The receipt; rejects with `UploadFailed`. */
  readonly done: Promise<Uploaded>
  readonly state: () => State
  /** Stops sending. What was sent of a grant of parts is kept; a form or a PUT starts over. */
  readonly pause: () => void
  readonly resume: () => void
  /** Ends it for good, and forgets what was remembered. */
  readonly cancel: () => void
}

/** A grant, or how to ask for one: then it is asked for when none is remembered, and again when it is over. */
export type Grant = UploadGrant | (() => Promise<UploadGrant>)

const paused = new UploadFailed("Cancelled", "paused")
const cancelled = new UploadFailed("Cancelled", "cancelled")

/** How often a grant may be over before the upload has begun. */
const maxGrants = 3

/**
 * Uploads a file. Starts at once.
 *
 * With `options.storage`, and a function for `grant`, a file whose upload in parts ended too early goes on where it was.
 */
export const upload = (grant: Grant, file: Blob, options: Options = {}): Task => {
  let state: State = "running"
  const job = Job.make(file, {
    ...options,
    onState: (next) => {
      state = next
      options.onState?.(next)
    }
  })
  const memory = Memory.make(options.storage, options.id ?? Memory.fingerprint(file), file.size)
  const work = worker(grant, memory, job)

  let controller = new AbortController()
  let isPaused = false
  let wake = (): void => {}

  let isCancelled = false

  const drive = async (): Promise<Uploaded> => {
    // The page has its task before it is told anything of it.
    await Promise.resolve()
    for (;;) {
      if (isCancelled) throw cancelled
      if (isPaused) {
        job.state("paused")
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      const { signal } = (controller = new AbortController())
      try {
        job.state("running")
        return await work.run(signal)
      } catch (error) {
        if (error !== paused) throw error
      }
    }
  }
  const isOver = (): boolean => state === "done" || state === "failed"
  const done = drive().then(
    (uploaded) => {
      job.state("done")
      return uploaded
    },
    (error: unknown) => {
      // Not before: what was being asked for when it was cancelled is known only now.
      if (isCancelled) void work.giveUp()
      job.state("failed")
      throw error instanceof UploadFailed ? error : new UploadFailed("Invalid", String(error), { cause: error })
    }
  )
  return {
    done,
    state: () => state,
    pause: () => {
      if (isOver() || isPaused) return
      isPaused = true
      controller.abort(paused)
    },
    resume: () => {
      isPaused = false
      wake()
    },
    cancel: () => {
      if (isOver() || isCancelled) return
      isCancelled = true
      controller.abort(cancelled)
      wake()
    }
  }
}

interface Worker {
  /** Runs until it is done or the signal stops it; run again, it goes on. */
  readonly run: (signal: AbortSignal) => Promise<Uploaded>
  readonly giveUp: () => Promise<void>
}

/** What is being worked on: kept while it is paused. */
interface Current {
  readonly grant: UploadGrant
  readonly parts: Parts.Run | undefined
  /** An earlier page was granted it. */
  readonly isOld: boolean
}

const worker = (given: Grant, memory: Memory.Memory, job: Job.Job): Worker => {
  const { file, options } = job
  let current: Current | undefined

  const begin = async (signal: AbortSignal): Promise<Current> => {
    const saved = await memory.load()
    if (saved !== undefined && (typeof given === "function" || isSame(given, saved.grant))) {
      return { grant: saved.grant, parts: Parts.make(saved, memory, job), isOld: true }
    }
    const grant = typeof given === "function" ? await Job.ask(job, signal, "asking for a grant", given) : given
    if (grant.size !== file.size) {
      throw new UploadFailed("Invalid", `the grant is for ${grant.size} bytes, and the file has ${file.size}`)
    }
    const parts = grant._tag === "Parts" ? Parts.make({ grant, parts: [] }, memory, job) : undefined
    return { grant, parts, isOld: false }
  }

  const byGrant = async ({ grant, parts }: Current, signal: AbortSignal): Promise<Uploaded> => {
    if (grant._tag === "Form") return Whole.byForm(grant.form, grant.key, job, signal)
    if (grant._tag === "Put") return Whole.byPut(grant.put, job, signal)
    const { _tag, ...outcome } = await parts!(signal) // made with the grant
    await memory.forget()
    job.report(file.size)
    const { bucket, crc64, etag, key, requestId, size } = outcome
    const stored = { bucket, key, size, etag, crc64: BigInt(crc64), verified: true, requestId, callback: undefined }
    if ("reason" in outcome) {
      const message = `stored, but the callback failed: ${outcome.detail} (${outcome.reason})`
      const callbackFailure = outcome.reason as CallbackFailure // the server has it from one
      throw new UploadFailed("CallbackFailed", message, { stored, status: 203, requestId, callbackFailure })
    }
    return { ...stored, callback: outcome.callback }
  }

  return {
    run: async (signal) => {
      for (let grants = 1; ; grants++) {
        const now = (current ??= await begin(signal))
        signal.throwIfAborted()
        try {
          return await byGrant(now, signal)
        } catch (error) {
          signal.throwIfAborted()
          if (typeof given !== "function" || grants === maxGrants || !isWorthANewGrant(error, now)) throw error
          await memory.forget()
          current = undefined
        }
      }
    },
    giveUp: async () => {
      await memory.forget()
      if (current?.grant._tag !== "Parts") return
      // Who cancels does not wait, and the bucket's own rules remove what is left behind.
      await options.abort?.(current.grant.ticket).catch(() => {})
    }
  }
}

const isSame = (given: UploadGrant, saved: PartsGrant): boolean =>
  given._tag === "Parts" && given.ticket === saved.ticket

/** The grant is over, its upload is gone, or the server does not take its old ticket any more. */
const isWorthANewGrant = (error: unknown, { isOld }: Current): boolean =>
  error instanceof UploadFailed &&
  (error.code === "Expired" || error.ossCode === "NoSuchUpload" || (error.code === "Server" && isOld))

/** Uploads with a signed form; the file's key must fit its policy. */
export const uploadForm = (form: SignedForm, key: string, file: Blob, options?: Options): Task => {
  const { bucket, expiresAt } = form
  return upload({ _tag: "Form", bucket, key, size: file.size, contentType: file.type, expiresAt, form }, file, options)
}

/** Uploads with a presigned URL for PUT. */
export const uploadPresigned = (put: PresignedUrl, file: Blob, options?: Options): Task => {
  const { bucket, expiresAt, key } = put
  return upload({ _tag: "Put", bucket, key, size: file.size, contentType: file.type, expiresAt, put }, file, options)
}
