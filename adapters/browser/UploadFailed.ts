/**
 * How an upload from a page can fail, as an ordinary Error. Pure. No message carries a URL, which may be signed.
 *
 * Its text is for developers; what a person should read depends on `code`, and on the page's language.
 */
import type { CallbackFailure } from "../../core/model/OssError.ts"
import type { Uploaded } from "./Uploaded.ts"

/**
 * `Invalid`: the call is wrong. `Refused`: OSS said no; see `ossCode`. `Expired`: the grant is over. `Network`: no answer.
 * `Stalled`: nothing moved for a while. `Changed`: the file is no longer the one that was chosen. `Corrupt`: OSS holds other bytes.
 * `Server`: a function of yours failed; see `cause`. `Cancelled`: by `cancel`. `CallbackFailed`: not a failed upload, for the
 * object is stored; see `stored`.
 */
export type Code =
  | "Invalid"
  | "Refused"
  | "Expired"
  | "Network"
  | "Stalled"
  | "Changed"
  | "Corrupt"
  | "Server"
  | "Cancelled"
  | "CallbackFailed"

export interface Details {
  /** The HTTP status of OSS's answer; 0 without one. */
  readonly status?: number
  /** OSS's own code, such as `EntityTooLarge`. */
  readonly ossCode?: string
  /** What Alibaba's support asks for. */
  readonly requestId?: string
  readonly ec?: string
  /** With `CallbackFailed`: the receipt. Do not send the file again. */
  readonly stored?: Uploaded
  /** With `CallbackFailed`: why. */
  readonly callbackFailure?: CallbackFailure
  /** With `Corrupt`: what was read here, and what OSS holds; unless nobody can tell. */
  readonly crc64?: { readonly client: bigint; readonly server: bigint }
  readonly cause?: unknown
}

export class UploadFailed extends Error {
  override readonly name = "UploadFailed"
  readonly code: Code
  readonly status: number
  readonly ossCode: string
  readonly requestId: string
  readonly ec: string
  readonly stored: Uploaded | undefined
  readonly callbackFailure: CallbackFailure | undefined
  readonly crc64: Details["crc64"] | undefined

  constructor(code: Code, message: string, details: Details = {}) {
    super(message, "cause" in details ? { cause: details.cause } : {})
    this.code = code
    this.status = details.status ?? 0
    this.ossCode = details.ossCode ?? ""
    this.requestId = details.requestId ?? ""
    this.ec = details.ec ?? ""
    this.stored = details.stored
    this.callbackFailure = details.callbackFailure
    this.crc64 = details.crc64
  }
}

/** Other bytes at OSS than were read here; `of` is the file, or a part of it. */
export const corrupt = (of: string, client: bigint, server: bigint): UploadFailed =>
  new UploadFailed("Corrupt", `OSS holds other bytes of ${of}: CRC-64 here ${client}, there ${server}`, {
    crc64: { client, server }
  })
