/** What the program and the test that starts it must agree on. Sizes in bytes. */
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../../core/model/Credentials.ts"

export const key = "videos/moved.mp4"
export const partSize = 102_400
export const parts = 40

/** The emulator's keys, as a child finds them in its environment. */
export const credentialsOf = (environment: NodeJS.ProcessEnv): Credentials => ({
  accessKeyId: environment["OSS_ACCESS_KEY_ID"] ?? "",
  accessKeySecret: Redacted.make(environment["OSS_ACCESS_KEY_SECRET"] ?? ""),
  securityToken: undefined
})
