/**
 * The receipt of an object that OSS has stored, and what the application server answered to its callback.
 *
 * Plain data. `A` is the response type of the callback's contract, `undefined` without a callback.
 */
import type { ObjectKey } from "./ObjectKey.ts"

/** OSS's help names the five ways to upload; these are its words. */
export type Method = "simple" | "multipart" | "resumable" | "form" | "presigned"

export interface Uploaded<A = undefined> {
  readonly method: Method
  readonly bucket: string
  readonly key: ObjectKey
  /** Bytes. */
  readonly size: number
  /** Without quotes, as OSS spells it. Not an MD5 for multipart and form uploads. */
  readonly etag: string
  /**
   * CRC-64/XZ of the whole object; equal here and at the server. (Without keys, and where the answer's headers are hidden,
   * as by a bucket's CORS rules, it is ours alone.)
   */
  readonly crc64: bigint
  readonly versionId: string | undefined
  /** 24 hexadecimal digits, what Alibaba's support asks for. */
  readonly requestId: string
  /** What the application server answered, decoded by the contract. */
  readonly callback: A
}
