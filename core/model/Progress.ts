/**
 * How far an upload has come. Plain data.
 */
export interface Progress {
  /** Bytes handed to the network, or proved to be at the server from an earlier run. Never falls. */
  readonly sent: number
  /** Bytes in all; `undefined` while the length of a stream is not known. */
  readonly total: number | undefined
  /** Parts that are at the server. Never falls. An upload in one request has one part. */
  readonly parts: number
  /** Parts in all; `undefined` while the length of a stream is not known. */
  readonly totalParts: number | undefined
}
