/**
 * One request of a page: XMLHttpRequest where there is one, because `fetch` tells nothing of how far a body has come.
 *
 * Only the headers given are set; no cookies are sent. Aborting closes the connection. Times in milliseconds, sizes in bytes.
 * Sources: XMLHttpRequest Standard, https://xhr.spec.whatwg.org; Fetch Standard, https://fetch.spec.whatwg.org
 */
import type { Answer } from "./Answer.ts"
import { UploadFailed } from "./UploadFailed.ts"

export interface Outgoing {
  readonly method: "PUT" | "POST"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Blob | FormData | Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal
  /** How long nothing may move. */
  readonly stall: number
  /** Bytes of the body so far, its frame included. */
  readonly onSent: (bytes: number) => void
}

/** Rejects with the signal's reason, or with `UploadFailed`: `Network` or `Stalled`. */
export type Send = (request: Outgoing) => Promise<Answer>

const lost = () =>
  new UploadFailed("Network", "no answer: offline, connection lost, or the bucket's CORS rules forbid it")
const stalled = (stall: number) => new UploadFailed("Stalled", `nothing moved for ${stall / 1000} seconds`)

const byXhr: Send = ({ body, headers, method, onSent, signal, stall, url }) =>
  new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    const listening = new AbortController()
    const once = { signal: listening.signal }
    let timer: ReturnType<typeof setTimeout>
    const stop = (): void => {
      clearTimeout(timer)
      listening.abort()
    }
    const fail = (error: unknown): void => {
      stop()
      xhr.abort()
      reject(error as Error) // ours, or what AbortController.abort was given
    }
    const moved = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => fail(stalled(stall)), stall)
    }
    if (signal.aborted) return fail(signal.reason)
    signal.addEventListener("abort", () => fail(signal.reason), once)
    xhr.open(method, url)
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
    const sent = ({ loaded }: ProgressEvent): void => {
      moved()
      onSent(loaded)
    }
    xhr.upload.addEventListener("progress", sent, once)
    xhr.addEventListener("progress", moved, once)
    // Told of every end. A status of 0 is an error, whatever its cause: browsers tell no more.
    const ended = (): void => {
      stop()
      if (xhr.status === 0) return reject(lost())
      resolve({ status: xhr.status, text: xhr.responseText, header: (name) => visible(xhr, name) })
    }
    xhr.addEventListener("loadend", ended, once)
    moved()
    // A Blob moves to the network's process once; bytes are also copied for whoever watches the network (developer tools: seconds).
    xhr.send(body instanceof Uint8Array ? new Blob([body]) : body)
  })

// Asking for a header that CORS hides would be reported on the console each time.
const visible = (xhr: XMLHttpRequest, name: string): string | null =>
  new RegExp(`^${name}:`, "im").test(xhr.getAllResponseHeaders()) ? xhr.getResponseHeader(name) : null

const byFetch: Send = async ({ body, headers, method, signal, stall, url }) => {
  const limit = new AbortController()
  const abort = () => limit.abort(signal.reason)
  // Nothing is told on the way, so the limit counts for all of it: by size, at 16 KiB/s at least.
  const size = body instanceof Blob ? body.size : body instanceof Uint8Array ? body.length : 0
  const timer = setTimeout(() => limit.abort(stalled(stall)), stall + size / 16)
  signal.addEventListener("abort", abort)
  try {
    if (signal.aborted) abort()
    const response = await fetch(url, { method, headers, body, signal: limit.signal, credentials: "omit" })
    const text = await response.text()
    return { status: response.status, text, header: (name) => response.headers.get(name) }
  } catch {
    throw limit.signal.aborted ? limit.signal.reason : lost()
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", abort)
  }
}

/** By what there is: service workers have only `fetch`. */
export const send: Send = (request) => (typeof XMLHttpRequest === "undefined" ? byFetch : byXhr)(request)
