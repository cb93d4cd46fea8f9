/**
 * What we ask of the network: send one HTTP request, give back the whole answer.
 *
 * Counterparts: adapters/node (node:http), adapters/fetch, adapters/platform. A transport sends what it is given: the URL
 * as it stands (keys may hold `..` and `//`, which URL parsers fold), the headers as they stand, Content-Length always,
 * and nothing of its own that OSS would have to find signed. It follows no redirect. It reads every answer to its end.
 * Interruption closes the socket.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { SourceError, TransportError } from "../model/OssError.ts"

/** What a request carries. A `Chunks` body is started afresh for each attempt and must yield exactly `size` bytes. */
export type Body =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Chunks"; readonly size: number; readonly chunks: () => AsyncIterable<Uint8Array> }

/** No body. */
export const empty: Body = { _tag: "Empty" }

/** A body of bytes in memory. */
export const bytes = (content: Uint8Array): Body => ({ _tag: "Bytes", bytes: content })

/** The size of a body in bytes: what Content-Length says. */
export const bodySize = (body: Body): number =>
  body._tag === "Empty" ? 0 : body._tag === "Bytes" ? body.bytes.length : body.size

export interface Request {
  readonly method: string
  /** Absolute and percent-encoded. May be signed: never log it. */
  readonly url: string
  /** Names in lower case. Values travel as UTF-8, both ways. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
  /** The longest the whole exchange may take. */
  readonly timeout: Duration.Duration
  /** The longest answer to accept, in bytes; a longer one fails with `ResponseTooLong`. */
  readonly maxResponseBytes: number
  /** Told the number of body bytes handed to the network so far, in rising order. Must not throw. */
  readonly onSent?: ((bytes: number) => void) | undefined
}

export interface Response {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface Service {
  /** `SourceError` when the body's own chunks fail or are not as many bytes as declared. */
  readonly send: (request: Request) => Effect.Effect<Response, TransportError | SourceError>
}

export class Transport extends Context.Tag("effect-oss/Transport")<Transport, Service>() {}
