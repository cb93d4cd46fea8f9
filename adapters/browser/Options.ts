/**
 * What an upload from a page takes. Sizes in bytes, times in milliseconds.
 */
import type { Outcome, PartUrl, SentPart } from "../../core/model/UploadGrant.ts"
import type { Store } from "./Memory.ts"
import type { Send } from "./Send.ts"

/** `waiting`: for the network, or for another try. */
export type State = "running" | "waiting" | "paused" | "completing" | "done" | "failed"

export interface Progress {
  /** Never falls, also when a part must be sent again. */
  readonly sent: number
  readonly total: number
}

export interface Options {
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly onState?: ((state: State) => void) | undefined
  /** How often one request is tried again in a row; being offline does not count. Default 8, which is about a minute. */
  readonly retries?: number | undefined
  /** How long nothing may move. Default 60,000. */
  readonly stall?: number | undefined
  /** Form uploads: further fields. Those of the form win. */
  readonly fields?: Readonly<Record<string, string>> | undefined
  /** Parts: asks your server for new URLs (`Grant.renew`). Called when those at hand are over, or too few. */
  readonly renew?: ((ticket: string, parts: ReadonlyArray<number>) => Promise<ReadonlyArray<PartUrl>>) | undefined
  /** Parts: has your server make them the object (`Grant.complete`). Needed for grants of parts. */
  readonly complete?: ((ticket: string, parts: ReadonlyArray<SentPart>) => Promise<Outcome>) | undefined
  /** Parts: has your server give up (`Grant.abort`), after `cancel`. Not waited for. */
  readonly abort?: ((ticket: string) => Promise<unknown>) | undefined
  /** Parts in flight, and in memory, at once. Default 3: browsers open 6 connections to a host. */
  readonly concurrency?: number | undefined
  /** Parts: remembers the upload here, so that a later one of the same file goes on: `localStorage`. */
  readonly storage?: Store | undefined
  /** What the upload is remembered by. Default: the file's name, size, type and time. Add the user where several share it. */
  readonly id?: string | undefined
  /** Sends the requests. Default: XMLHttpRequest, else `fetch`. */
  readonly send?: Send | undefined
}
