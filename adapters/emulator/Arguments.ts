/**
 * The emulator's command line, as options. Pure.
 */
import * as Redacted from "effect/Redacted"
import { parseArgs } from "node:util"
import type { Credentials } from "../../core/model/Credentials.ts"
import type { ServerOptions } from "./OssEmulator.ts"
import { Acl } from "./State.ts"

export const usage = `usage: npm run emulator -- [options]

  --port N               where to listen; 0 takes any free port (default 9000)
  --host ADDRESS         default 127.0.0.1, which nobody else can reach
  --data DIR             keeps the data there (default: a temporary folder, removed at the end)
  --region ID            default cn-hangzhou
  --bucket NAME          a bucket that is there from the start; may be repeated (default examplebucket)
  --acl ACL              of these buckets: private (default), public-read, public-read-write
  --access-key ID:SECRET[:TOKEN]   who may sign; may be repeated (default: a key made up and printed)
  --cname HOST=BUCKET    a domain bound to a bucket; may be repeated
  --service-host HOST    another name of the service, so that BUCKET.HOST is a bucket; may be repeated
  --cors                 lets pages of any origin upload to and read from these buckets
  --v4-only              refuses signatures of version 1
  --public-callbacks     calls back to public addresses only, as OSS does
  --control PORT         a second port, on the loopback, to order faults and to look on; 0 takes any free port
  --help                 this text
`

export interface Run {
  readonly _tag: "Run"
  readonly options: ServerOptions
}

export type Parsed =
  Run | { readonly _tag: "Help"; readonly text: string } | { readonly _tag: "Wrong"; readonly reason: string }

class Complaint extends Error {}

const texts = { type: "string", multiple: true } as const
const text = { type: "string" } as const
const flag = { type: "boolean" } as const

const port = (name: string, value: string | undefined): number | undefined => {
  if (value === undefined) return undefined
  if (/^\d{1,5}$/.test(value) && Number(value) <= 65_535) return Number(value)
  throw new Complaint(`--${name} must be 0 to 65535, got "${value}"`)
}

// The secret is never quoted back.
const accessKey = (value: string): Credentials => {
  const [accessKeyId = "", secret = "", ...token] = value.split(":")
  if (accessKeyId === "" || secret === "") throw new Complaint("--access-key must be ID:SECRET or ID:SECRET:TOKEN")
  const key = { accessKeyId, accessKeySecret: Redacted.make(secret) }
  return token.length === 0 ? key : { ...key, securityToken: Redacted.make(token.join(":")) }
}

const cname = (value: string): readonly [host: string, bucket: string] => {
  const at = value.indexOf("=")
  if (at <= 0 || at === value.length - 1) throw new Complaint(`--cname must be HOST=BUCKET, got "${value}"`)
  return [value.slice(0, at), value.slice(at + 1)]
}

const acl = (value: string | undefined): Acl | undefined => {
  const found = Acl.literals.find((known) => known === value)
  if (value !== undefined && found === undefined) {
    throw new Complaint(`--acl must be ${Acl.literals.join(", ")}, got "${value}"`)
  }
  return found
}

const anyOrigin = [
  {
    allowedOrigins: ["*"],
    allowedMethods: ["GET", "PUT", "POST", "DELETE", "HEAD"],
    allowedHeaders: ["*"],
    exposeHeaders: ["ETag", "x-oss-request-id", "x-oss-hash-crc64ecma", "x-oss-version-id"]
  }
]

const options = {
  port: text,
  host: text,
  data: text,
  region: text,
  bucket: texts,
  acl: text,
  "access-key": texts,
  cname: texts,
  "service-host": texts,
  cors: flag,
  "v4-only": flag,
  "public-callbacks": flag,
  control: text,
  help: { ...flag, short: "h" }
} as const

/** The names of all options, without the dashes. */
export const names: ReadonlyArray<string> = Object.keys(options)

const read = (args: ReadonlyArray<string>): Parsed => {
  const { values } = parseArgs({ args: [...args], options, strict: true, allowPositionals: false })
  if (values.help === true) return { _tag: "Help", text: usage }
  const [bucket, ...buckets] = values.bucket ?? []
  return {
    _tag: "Run",
    options: {
      port: port("port", values.port) ?? 9000,
      host: values.host,
      dataDir: values.data,
      region: values.region,
      bucket,
      buckets,
      acl: acl(values.acl),
      credentials: values["access-key"]?.map(accessKey),
      cnames: Object.fromEntries((values.cname ?? []).map(cname)),
      serviceHosts: values["service-host"],
      cors: values.cors === true ? anyOrigin : undefined,
      signatureV1: values["v4-only"] !== true,
      callback: { privateAddressesAllowed: values["public-callbacks"] !== true },
      control: port("control", values.control)
    }
  }
}

/** Reads the arguments. An option that is unknown or wrong is named in the reason. */
export const parse = (args: ReadonlyArray<string>): Parsed => {
  try {
    return read(args)
  } catch (cause) {
    if (cause instanceof Error) return { _tag: "Wrong", reason: cause.message }
    throw cause
  }
}
