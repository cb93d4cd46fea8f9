/**
 * A bucket and how it is reached: its name, its region, and the address requests go to. Pure.
 *
 * The region is signed, the address is not, so each may be chosen by itself: an internal, accelerated, private or local
 * address still signs the bucket's own region. Sources: "Regions and endpoints",
 * https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints; "Bucket naming conventions".
 */
import * as Either from "effect/Either"
import { InvalidParam } from "./OssError.ts"

/** Where the bucket's name stands: in the host, in the path, or nowhere (a custom domain bound to the bucket). */
export type Addressing = "virtual-hosted" | "path" | "cname"

/** Which of a region's own endpoints is meant when `endpoint` is not given. */
export type Network = "public" | "internal" | "accelerate" | "accelerate-overseas"

export interface Options {
  readonly bucket: string
  /** The region's ID, `cn-hangzhou`; not the endpoint's label, `oss-cn-hangzhou`. */
  readonly region: string
  /** Default `public`. */
  readonly network?: Network | undefined
  /** Scheme (default https), host and port: `https://oss-cn-hangzhou.aliyuncs.com`, `http://127.0.0.1:9000`. */
  readonly endpoint?: string | undefined
  /** Default: `path` for IP addresses and localhost, `virtual-hosted` for all others. */
  readonly addressing?: Addressing | undefined
}

export interface Bucket {
  readonly name: string
  readonly region: string
  readonly addressing: Addressing
  /** Scheme, host and port that requests go to: `https://media.oss-cn-hangzhou.aliyuncs.com`. */
  readonly origin: string
  /** The Host header's value. */
  readonly host: string
  /** What stands before the key's own slash in the path: empty, or `/media` in path style. */
  readonly pathPrefix: string
}

const bucketName = /^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/
const regionId = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const endpointForm = /^(?:(https?):\/\/)?(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?\/?$/i
const address = /^(?:\[.*\]|\d{1,3}(?:\.\d{1,3}){3})$/

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

/** Checks a bucket's name: 3 to 63 of a-z, 0-9 and "-", not at the ends. Fails with `InvalidParam` for `bucket`. */
export const checkName = (name: string): Either.Either<string, InvalidParam> =>
  bucketName.test(name)
    ? Either.right(name)
    : invalid("bucket", `must be 3 to 63 of a-z, 0-9 and "-" (not at the ends), got ${JSON.stringify(name)}`)

/** Checks a region's ID. Fails with `InvalidParam` for `region`, also for an endpoint's label such as `oss-cn-hangzhou`. */
export const checkRegion = (region: string): Either.Either<string, InvalidParam> => {
  if (region.startsWith("oss-")) {
    return invalid("region", `must be the region's ID, "${region.slice(4)}", got the endpoint's label "${region}"`)
  }
  return regionId.test(region)
    ? Either.right(region)
    : invalid("region", `must be of a-z, 0-9 and "-", such as "cn-hangzhou", got ${JSON.stringify(region)}`)
}

/** An endpoint has no user and no password; one that has must not show them in a message. */
const withoutUser = (endpoint: string): string => {
  const at = endpoint.lastIndexOf("@")
  return at === -1 ? endpoint : `…${endpoint.slice(at)}`
}

const officialHost = (region: string, network: Network): string => {
  switch (network) {
    case "public":
      return `oss-${region}.aliyuncs.com`
    case "internal":
      return `oss-${region}-internal.aliyuncs.com`
    case "accelerate":
    case "accelerate-overseas":
      return `oss-${network}.aliyuncs.com`
  }
}

/** Checks all of it. Fails with `InvalidParam` for `bucket`, `region`, `endpoint` or `addressing`. */
export const make = (options: Options): Either.Either<Bucket, InvalidParam> =>
  Either.gen(function* () {
    const name = yield* checkName(options.bucket)
    const region = yield* checkRegion(options.region)
    const endpoint = options.endpoint ?? officialHost(region, options.network ?? "public")
    const match = endpointForm.exec(endpoint)
    if (match === null || Number(match[3] ?? 0) > 65535) {
      return yield* invalid(
        "endpoint",
        `must be scheme, host and port, such as "http://127.0.0.1:9000", got ${JSON.stringify(withoutUser(endpoint))}`
      )
    }
    const scheme = (match[1] ?? "https").toLowerCase()
    const hostname = match[2]!.toLowerCase() // the group is not optional
    const isAddress = address.test(hostname)
    const addressing = options.addressing ?? (isAddress || hostname === "localhost" ? "path" : "virtual-hosted")
    if (isAddress && addressing === "virtual-hosted") {
      return yield* invalid(
        "addressing",
        `must be "path" or "cname" for the address ${hostname}: no name stands before it`
      )
    }
    const defaultPort = scheme === "https" ? "443" : "80"
    const port = match[3] === undefined || match[3] === defaultPort ? "" : `:${match[3]}`
    const host = `${addressing === "virtual-hosted" ? `${name}.` : ""}${hostname}${port}`
    const pathPrefix = addressing === "path" ? `/${name}` : ""
    return { name, region, addressing, origin: `${scheme}://${host}`, host, pathPrefix }
  })
