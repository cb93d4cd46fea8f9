/**
 * What one look of the doctor has found. Plain data.
 */

export interface Check {
  readonly name: string
  /** `warn`: it works, and may not go on to; `skip`: it could not be looked at, for what another check tells. */
  readonly status: "ok" | "warn" | "fail" | "skip"
  /** What was found, and what to do about it. No secret. */
  readonly detail: string
}

const make =
  (status: Check["status"]) =>
  (name: string, detail: string): Check => ({ name, status, detail })

export const ok = make("ok")
export const warn = make("warn")
export const fail = make("fail")
export const skip = make("skip")
