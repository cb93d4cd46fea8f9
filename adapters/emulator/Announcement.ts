/**
 * What a started emulator tells: where it is, and what to sign with. Plain data.
 */
import * as Redacted from "effect/Redacted"
import type { Run } from "./Arguments.ts"
import type { Service } from "./OssEmulator.ts"

/** As it stands in the line of JSON that the program prints. */
export interface Announcement {
  readonly endpoint: string
  readonly region: string
  readonly buckets: ReadonlyArray<string>
  readonly accessKeyId: string
  readonly accessKeySecret?: string
  readonly dataDir?: string
  readonly control?: string
  readonly callbackPublicKey: string
}

/** The secret is told only where it was made up: whoever brought one along knows it, and it need not stand in a log. */
export const make = (oss: Service, { options }: Run): Announcement => ({
  endpoint: oss.endpoint,
  region: oss.region,
  buckets: [oss.bucket, ...(options.buckets ?? [])],
  accessKeyId: oss.credentials.accessKeyId,
  ...(options.credentials === undefined ? { accessKeySecret: Redacted.value(oss.credentials.accessKeySecret) } : {}),
  ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  ...(oss.control === undefined ? {} : { control: oss.control }),
  callbackPublicKey: oss.publicKeyUrl
})
