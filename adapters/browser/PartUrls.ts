/**
 * The URLs of the parts: those of the grant, and new ones when these are over or too few. One renewal at a time.
 */
import type { PartsGrant, PartUrl } from "../../core/model/UploadGrant.ts"
import * as Job from "./Job.ts"
import { UploadFailed } from "./UploadFailed.ts"

export interface PartUrls {
  /** A URL for this part, renewed where need be. `next`: the parts that will need one soon. */
  readonly get: (part: number, next: () => ReadonlyArray<number>, signal: AbortSignal) => Promise<string>
  /** OSS says that this part's URL is over. */
  readonly drop: (part: number) => void
}

/** So many at once. */
const batch = 100
/** How long a URL must still hold, in milliseconds, to be used. */
const margin = 10_000

export const make = ({ ticket, urls }: PartsGrant, job: Job.Job): PartUrls => {
  const known = new Map<number, PartUrl>(urls.map((url) => [url.number, url]))
  // What this page has renewed is good, whatever its own clock says.
  const trusted = new Set<PartUrl>()
  const isGood = (part: number): boolean => {
    const url = known.get(part)
    return url !== undefined && (trusted.has(url) || url.expiresAt > Date.now() + margin)
  }
  let renewing: Promise<void> | undefined

  const renew = async (parts: ReadonlyArray<number>, signal: AbortSignal): Promise<void> => {
    const { renew } = job.options
    if (renew === undefined)
      throw new UploadFailed("Expired", "the URLs are over, and there is no `renew` to get others")
    const fresh = await Job.ask(job, signal, "renew", () => renew(ticket, parts))
    for (const url of fresh) {
      known.set(url.number, url)
      trusted.add(url)
    }
  }

  return {
    get: async (part, next, signal) => {
      for (let tries = 0; !isGood(part); tries++) {
        // Without a way to renew, it is tried: this clock may be wrong.
        if (job.options.renew === undefined && known.has(part)) break
        if (tries === 3) throw new UploadFailed("Expired", `renew gave no URL for part ${part}`)
        const wanted = [...new Set([part, ...next().filter((number) => !isGood(number))])].slice(0, batch)
        await (renewing ??= renew(wanted, signal).finally(() => (renewing = undefined)))
      }
      return known.get(part)!.url // it is good, or was there
    },
    drop: (part) => void known.delete(part)
  }
}
