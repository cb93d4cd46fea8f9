/**
 * The receipt of an upload from a page. Plain data; the plain counterpart of the core's `Uploaded`. Sizes in bytes.
 */
export interface Uploaded {
  readonly bucket: string
  readonly key: string
  readonly size: number
  /** Empty where the bucket's CORS rules hide it. */
  readonly etag: string
  /** CRC-64 of the file as it was read here. */
  readonly crc64: bigint
  /** Whether OSS was seen to hold the same CRC-64; it is not where the bucket's CORS rules hide it. */
  readonly verified: boolean
  readonly requestId: string
  /** What the application server answered, as JSON; `undefined` without a callback. */
  readonly callback: unknown
}
