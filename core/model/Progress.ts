/**
 * How far an upload has come. Plain data.
 */
export interface Progress {
  /** Bytes handed to the network, or known to be at the server from an earlier run. Never falls. */
  readonly sent: number
  /** Bytes in all; `undefined` while the length of a stream is not known. */
  readonly total: number | undefined
}
