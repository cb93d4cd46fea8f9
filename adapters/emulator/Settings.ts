/**
 * What an emulator is told when it starts. Plain data behind one tag.
 */
import * as Context from "effect/Context"
import type * as Redacted from "effect/Redacted"
import type * as Addressing from "./Addressing.ts"

/** A key that requests may be signed with. Every one of them owns everything. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly accessKeySecret: Redacted.Redacted
  /** Temporary credentials: every request must bring this token along. */
  readonly securityToken?: Redacted.Redacted | undefined
  /** When the token ends, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined
}

export interface Limits {
  /** The largest body of PutObject, PostObject, AppendObject and UploadPart, in bytes. */
  readonly maxBody: number
  /** The smallest part but the last, in bytes; checked at Complete. */
  readonly minPart: number
  /** The longest XML document and the most bytes of form fields, in bytes. */
  readonly maxDocument: number
  readonly maxFormFields: number
}

/** OSS's own limits. */
export const ossLimits: Limits = {
  maxBody: 5 * 1024 ** 3,
  minPart: 100 * 1024,
  maxDocument: 2 * 1024 * 1024,
  maxFormFields: 8 * 1024 * 1024
}

export interface Service {
  /** The region of buckets created later, and of requests about no bucket. */
  readonly region: string
  readonly addressing: Addressing.Options
  readonly accessKeys: ReadonlyMap<string, AccessKey>
  /** Whether signatures of version 1 (HMAC-SHA1) are taken as well. */
  readonly signatureV1: boolean
  readonly limits: Limits
  /** The account that owns all buckets: 16 digits. */
  readonly ownerId: string
  /** Where clients reach the emulator: host and port. */
  readonly publicHost: () => string
}

export class Settings extends Context.Tag("effect-oss/emulator/Settings")<Settings, Service>() {}
