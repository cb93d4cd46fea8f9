/**
 * A request as the emulator received it and the answer it gives, free of node:http. Types and small readers; pure.
 *
 * The socket server (Server.ts) and the in-process transport (layer.ts) both speak these, so both run the same handler.
 */

/** Names in lower case, values trimmed; a header that came twice is joined with ",". */
export type Headers = Readonly<Record<string, string>>

/** The bytes of a body. They are read once, in one of the two ways. */
export interface Incoming extends AsyncIterable<Uint8Array> {
  /**
   * Hands over chunk after chunk as they come, without a promise for each of them. Where `take` answers one, nothing comes
   * until it resolves. Rejects with what `take` throws or rejects with, or with what broke the body off.
   */
  readonly each?: (take: Take) => Promise<void>
}

/** Takes a chunk. Its memory stays as it is until the answer resolves, or until the call returns without one, and no longer. */
export type Take = (chunk: Uint8Array) => Promise<void> | undefined

export interface Request {
  readonly method: string
  /** As it stood on the request line, never normalised. */
  readonly target: string
  readonly headers: Headers
  readonly httpVersion: "1.0" | "1.1"
  readonly body: Incoming
  /** The client's address without a port. */
  readonly remoteAddress: string
  /** Answers `100 Continue` when the client waits for it. Called once the signature is good. */
  readonly sendContinue: () => void
}

/** Part of a file: `length` bytes from `offset` on. */
export interface Slice {
  readonly file: string
  readonly offset: number
  readonly length: number
}

export type Body =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Slices"; readonly slices: ReadonlyArray<Slice> }

export interface Response {
  readonly status: number
  /** Names as they are sent; values are text, sent as UTF-8. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  /** The Content-Length when it is not the body's: answers to HEAD, and answers that a fault cuts short. In bytes. */
  readonly contentLength?: number
  /** Ends the connection without this answer, or in the midst of it: `body` is what still goes out. */
  readonly hangUp?: "before" | "after"
}

export const empty: Body = { _tag: "Empty" }
/** A body of bytes in memory. */
export const bytes = (content: Uint8Array): Body => ({ _tag: "Bytes", bytes: content })

const encoder = new TextEncoder()

/** A body of text, as UTF-8. */
export const text = (content: string): Body => bytes(encoder.encode(content))

/** The size of a body in bytes. */
export const size = (body: Body): number => {
  switch (body._tag) {
    case "Empty":
      return 0
    case "Bytes":
      return body.bytes.length
    case "Slices":
      return body.slices.reduce((sum, slice) => sum + slice.length, 0)
  }
}

/** An answer in XML. */
export const xml = (status: number, document: string, headers: Readonly<Record<string, string>> = {}): Response => ({
  status,
  headers: { "Content-Type": "application/xml", ...headers },
  body: text(document)
})

/** An answer without a body. */
export const noBody = (status: number, headers: Readonly<Record<string, string>> = {}): Response => ({
  status,
  headers,
  body: empty
})

/** Whether the request announces a body at all, be it an empty one. */
export const announcesBody = (headers: Headers): boolean =>
  headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined

/** Content-Length in bytes; `undefined` when it is absent or no whole number. */
export const contentLength = (headers: Headers): number | undefined => {
  const value = headers["content-length"]
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined
}
