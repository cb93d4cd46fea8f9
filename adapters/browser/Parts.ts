/**
 * A file in parts, side by side: paused and resumed at any part, also after a reload. Each part is read, hashed and sent from
 * the same bytes in memory. Sizes in bytes.
 */
import * as Crc64 from "../../core/model/Crc64.ts"
import type { Outcome, PartsGrant } from "../../core/model/UploadGrant.ts"
import * as Answer from "./Answer.ts"
import * as Job from "./Job.ts"
import type * as Memory from "./Memory.ts"
import * as PartUrls from "./PartUrls.ts"
import { corrupt, UploadFailed } from "./UploadFailed.ts"

/** Runs until it is done or the signal stops it; run again, it goes on. */
export type Run = (signal: AbortSignal) => Promise<Exclude<Outcome, { readonly _tag: "Missing" }>>

/** How often the server may say that parts are missing. */
const maxRounds = 3

export const make = (saved: Memory.Saved, memory: Memory.Memory, job: Job.Job): Run => {
  const { grant } = saved
  const { file, options } = job
  const count = Math.max(1, Math.ceil(file.size / grant.partSize))
  const urls = PartUrls.make(grant, job)
  const bounds = (part: number): readonly [start: number, end: number] => [
    (part - 1) * grant.partSize,
    Math.min(part * grant.partSize, file.size)
  ]
  const sizeOf = (part: number): number => bounds(part)[1] - bounds(part)[0]
  /** CRC-64 by part, of those at OSS. */
  const done = new Map<number, string>()
  /** Bytes by part, of those on their way. */
  const moving = new Map<number, number>()
  const report = (): void => {
    let sent = 0
    for (const part of done.keys()) sent += sizeOf(part)
    for (const [part, bytes] of moving) if (!done.has(part)) sent += bytes
    job.report(sent)
  }
  const pending = (): ReadonlyArray<number> =>
    Array.from({ length: count }, (_, i) => i + 1).filter((part) => !done.has(part))
  const save = () => memory.save({ grant: renewable(grant, options.renew !== undefined), parts: [...done] })

  /** What an earlier page has sent counts if the file still holds the same bytes. */
  let looked = false
  const lookBack = async (signal: AbortSignal): Promise<void> => {
    if (looked) return
    for (const [part, crc64] of saved.parts) {
      signal.throwIfAborted()
      if (part < 1 || part > count) continue
      if (Crc64.format(Crc64.of(await Job.read(file, ...bounds(part)))) === crc64) done.set(part, crc64)
      report()
    }
    looked = true
    await save()
  }

  const sendPart = async (part: number, signal: AbortSignal): Promise<void> => {
    const body = await Job.read(file, ...bounds(part))
    const crc64 = Crc64.format(Crc64.of(body))
    for (let renewals = 0; ; renewals++) {
      const url = await urls.get(part, pending, signal)
      const onSent = (bytes: number): void => {
        moving.set(part, Math.min(bytes, body.length))
        report()
      }
      const answer = await Job.send(
        job,
        () => ({ method: "PUT", url, headers: {}, body, onSent }),
        signal,
        (answer) => {
          const theirs = Answer.crc64(answer)
          if (answer.status === 200 && theirs !== null && theirs !== crc64) {
            throw corrupt(`part ${part}`, BigInt(crc64), BigInt(theirs))
          }
        }
      )
      if (answer.status >= 200 && answer.status <= 299) break
      if (!Answer.isExpired(answer) || options.renew === undefined || renewals === 3) throw Answer.toFailure(answer)
      urls.drop(part)
    }
    done.set(part, crc64)
    moving.delete(part)
    report()
    await save()
  }

  /** Sends what is pending, so many at once. The first failure stops the others. */
  const sendAll = async (signal: AbortSignal): Promise<void> => {
    const stop = new AbortController()
    const both = AbortSignal.any([signal, stop.signal])
    const queue = pending().values()
    const worker = async (): Promise<void> => {
      for (const part of queue) {
        both.throwIfAborted()
        await sendPart(part, both)
      }
    }
    const workers = Array.from({ length: Math.max(1, Math.min(options.concurrency ?? 3, count)) }, worker)
    try {
      await Promise.all(workers)
    } catch (error) {
      stop.abort(error)
      await Promise.allSettled(workers)
      throw error
    } finally {
      moving.clear()
    }
  }

  return async (signal) => {
    const { complete } = options
    if (complete === undefined) throw new UploadFailed("Invalid", "a grant of parts needs the option `complete`")
    await lookBack(signal)
    for (let round = 1; ; round++) {
      await sendAll(signal)
      job.state("completing")
      const parts = [...done].sort(([a], [b]) => a - b).map(([number, crc64]) => ({ number, crc64 }))
      const outcome = await Job.ask(job, signal, "complete", () => complete(grant.ticket, parts))
      if (outcome._tag !== "Missing") {
        const crc64 = parts.reduce((crc, part) => Crc64.combine(crc, BigInt(part.crc64), sizeOf(part.number)), 0n)
        if (Crc64.format(crc64) === outcome.crc64) return outcome
        throw corrupt("the file", crc64, BigInt(outcome.crc64))
      }
      if (round === maxRounds) {
        throw new UploadFailed("Corrupt", `parts ${outcome.parts.join(", ")} do not arrive as they were sent`)
      }
      for (const part of outcome.parts) done.delete(part)
      await save()
    }
  }
}

/** Thousands of URLs do not fit into a page's storage, and are over before long. */
const renewable = (grant: PartsGrant, canRenew: boolean): PartsGrant => (canRenew ? { ...grant, urls: [] } : grant)
