/**
 * Where requests go and what they are signed with: from options, the environment, and ossutil's file, in this order.
 *
 * Keys are taken as a set, so that the token of one account never meets the keys of another: those of the file count only
 * when neither options nor environment name an ID, and the environment's token only when its ID is used. Every value
 * remembers where it came from, for `doctor`.
 */
import * as Redacted from "effect/Redacted"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type * as Bucket from "../../core/model/Bucket.ts"
import type { Credentials } from "../../core/model/Credentials.ts"
import type * as NodeOss from "../node/NodeOss.ts"
import { Usage, type Options, type Values } from "./Command.ts"
import * as OssutilFile from "./OssutilFile.ts"

export const options = {
  region: { kind: "text", value: "ID", about: "the bucket's region, cn-hangzhou (OSS_REGION)" },
  endpoint: { kind: "text", value: "URL", about: "another address than the region's own (OSS_ENDPOINT)" },
  network: {
    kind: "text",
    value: "NAME",
    about: "which of the region's own addresses",
    choices: ["public", "internal", "accelerate", "accelerate-overseas"]
  },
  addressing: {
    kind: "text",
    value: "STYLE",
    about: "where the bucket's name stands",
    choices: ["virtual-hosted", "path", "cname"]
  },
  "access-key-id": { kind: "text", value: "ID", about: "who signs (OSS_ACCESS_KEY_ID)" },
  "access-key-secret": {
    kind: "text",
    value: "SECRET",
    about: "better in OSS_ACCESS_KEY_SECRET, where nobody sees it",
    secret: "use OSS_ACCESS_KEY_SECRET or ~/.ossutilconfig"
  },
  "security-token": {
    kind: "text",
    value: "TOKEN",
    about: "of temporary keys; better in OSS_SESSION_TOKEN",
    secret: "use OSS_SESSION_TOKEN or ~/.ossutilconfig"
  },
  profile: { kind: "text", value: "NAME", about: "which profile of the file (OSSUTIL_PROFILE)" },
  "config-file": { kind: "text", value: "FILE", about: "default ~/.ossutilconfig (OSSUTIL_CONFIG_FILE)" }
} as const satisfies Options

type Environment = Readonly<Record<string, string | undefined>>

/** A value, and where it was found. */
export interface Found<A> {
  readonly value: A
  readonly from: string
}

export interface Connection {
  readonly region: Found<string> | undefined
  readonly endpoint: Found<string> | undefined
  readonly credentials: Found<Credentials> | undefined
  readonly network: Bucket.Network | undefined
  readonly addressing: Bucket.Addressing | undefined
}

const readProfile = (
  given: Values<typeof options>,
  environment: Environment
): { readonly settings: OssutilFile.Profile; readonly file: string } => {
  const chosen = given["config-file"] ?? environment["OSSUTIL_CONFIG_FILE"]
  const file = chosen ?? join(homedir(), ".ossutilconfig")
  const profile = given.profile ?? environment["OSSUTIL_PROFILE"]
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch (cause) {
    if (chosen === undefined && profile === undefined) return { settings: {}, file }
    throw new Usage(`${file}: cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  const settings = OssutilFile.parse(text, profile)
  if (settings === undefined && profile !== undefined) throw new Usage(`${file}: has no section [profile ${profile}]`)
  return { settings: settings ?? {}, file }
}

const first = <A>(...found: ReadonlyArray<readonly [value: A | undefined, from: string]>): Found<A> | undefined => {
  for (const [value, from] of found) if (value !== undefined && value !== "") return { value, from }
  return undefined
}

const makeCredentials = (id: string, secret: string, token: string | undefined): Credentials => ({
  accessKeyId: id,
  accessKeySecret: Redacted.make(secret),
  ...(token === undefined || token === "" ? {} : { securityToken: Redacted.make(token) })
})

const findCredentials = (
  given: Values<typeof options>,
  environment: Environment,
  settings: OssutilFile.Profile,
  file: string
): Found<Credentials> | undefined => {
  const id = first([given["access-key-id"], "--access-key-id"], [environment["OSS_ACCESS_KEY_ID"], "OSS_ACCESS_KEY_ID"])
  if (id !== undefined) {
    const secret = given["access-key-secret"] ?? environment["OSS_ACCESS_KEY_SECRET"] ?? ""
    if (secret === "") {
      throw new Usage(`${id.from} is given, but no secret: set OSS_ACCESS_KEY_SECRET`)
    }
    const isOptions = id.from.startsWith("--")
    const token = given["security-token"] ?? (isOptions ? undefined : environment["OSS_SESSION_TOKEN"])
    return { value: makeCredentials(id.value, secret, token), from: id.from }
  }
  const { accessKeyId, accessKeySecret, securityToken } = settings
  if (accessKeyId === undefined || accessKeySecret === undefined) return undefined
  return { value: makeCredentials(accessKeyId, accessKeySecret, securityToken), from: file }
}

// The region stands in the names of OSS's own addresses: oss-cn-hangzhou.aliyuncs.com, oss-cn-hangzhou-internal….
const officialEndpoint = /^(?:https?:\/\/)?(?:[a-z0-9-]+\.)?oss-([a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com\/?$/i

/** The region that an address of OSS's own belongs to; `undefined` for other addresses. */
export const regionOf = (endpoint: string): string | undefined => {
  const region = officialEndpoint.exec(endpoint)?.[1]?.toLowerCase()
  return region?.startsWith("accelerate") ? undefined : region
}

/** Gathers what is known; what is missing is told by `toOptions`. Throws `Usage` for a file that was named and is not there. */
export const find = (given: Values<typeof options>, environment: Environment = process.env): Connection => {
  const { settings, file } = readProfile(given, environment)
  const endpoint = first(
    [given.endpoint, "--endpoint"],
    [environment["OSS_ENDPOINT"], "OSS_ENDPOINT"],
    // `--network` asks for another address than the file's.
    [given.network === undefined ? settings.endpoint : undefined, file]
  )
  return {
    region: first(
      [given.region, "--region"],
      [environment["OSS_REGION"], "OSS_REGION"],
      [settings.region, file],
      [endpoint === undefined ? undefined : regionOf(endpoint.value), `the endpoint, ${endpoint?.from}`]
    ),
    endpoint,
    credentials: findCredentials(given, environment, settings, file),
    network: given.network as Bucket.Network | undefined, // one of its choices
    addressing: given.addressing as Bucket.Addressing | undefined // one of its choices
  }
}

/** A client's options for a bucket. Throws `Usage` when region or keys are nowhere to be found. */
export const toOptions = (connection: Connection, bucket: string): NodeOss.Options => {
  const { addressing, credentials, endpoint, network, region } = connection
  if (region === undefined) throw new Usage("no region: give --region, OSS_REGION, or region in ~/.ossutilconfig")
  if (credentials === undefined) {
    throw new Usage(
      "no keys: set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (OSS_SESSION_TOKEN for STS), or run `ossutil config`"
    )
  }
  return {
    bucket,
    region: region.value,
    endpoint: endpoint?.value,
    network,
    addressing,
    credentials: credentials.value
  }
}
