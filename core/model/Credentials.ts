/**
 * The keys a request is signed with. Pure data; the secrets are `Redacted` and are opened only where they are used.
 */
import type * as Redacted from "effect/Redacted"

export interface Credentials {
  readonly accessKeyId: string
  readonly accessKeySecret: Redacted.Redacted
  /** Of temporary credentials issued by STS; must accompany every request signed with them. */
  readonly securityToken?: Redacted.Redacted | undefined
  /** When temporary credentials end, in milliseconds since 1970. */
  readonly expiresAt?: number | undefined
}
