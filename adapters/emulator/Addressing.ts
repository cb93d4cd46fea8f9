/**
 * Which bucket and key a request is about, from its target and its Host header. Pure.
 *
 * The target is decoded once and never normalised: `a/../b`, `//` and a trailing `/` are parts of keys. Three ways lead to
 * a bucket: in the path (Host is an IP address or `localhost`), in the host (`<bucket>.<service>`), and by a table of
 * domains bound to buckets. A target in absolute form, as clients send it to a proxy, brings its own host, which wins.
 * Sources: "OSS domain names", https://www.alibabacloud.com/help/en/oss/user-guide/oss-domain-names; RFC 9112 §3.2;
 * requests of ten official clients, recorded.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Refusal from "./Refusal.ts"

export interface Location {
  readonly addressing: "path" | "virtual-hosted" | "cname" | "service"
  /** `undefined`: the request is about the service itself. Not checked: it may be no legal name. */
  readonly bucket: string | undefined
  /** `undefined`: the request is about the bucket itself. Not checked. */
  readonly key: string | undefined
  /** Decoded; a name alone has an empty value. */
  readonly query: ReadonlyMap<string, string>
  /** The host as requested, without a port, in lower case. */
  readonly host: string
}

export interface Options {
  /** Domains bound to buckets, with or without a port, in lower case. */
  readonly cnames: ReadonlyMap<string, string>
  /** Further names of the service, in lower case; `localhost`, `oss-<region>.localhost` and Alibaba's own are known. */
  readonly serviceHosts: ReadonlyArray<string>
}

const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/is
const ipAddress = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]*\])$/
// The bucket's labels come first; what a region's own host looks like must not be read as a bucket of "localhost".
const regional = /^(?:(.*)\.)?((?:oss(?:-[a-z0-9-]+)?)\.(?:localhost|aliyuncs\.com)|[a-z0-9-]+\.oss\.aliyuncs\.com)$/
const local = /^(?:(.*)\.)?localhost$/

interface Target {
  readonly host: string | undefined
  readonly path: string
  readonly query: string
}

const readTarget = (target: string): Option.Option<Target> => {
  const absolute = absoluteForm.exec(target)
  const rest = absolute === null ? target : absolute[2]!.startsWith("/") ? absolute[2]! : `/${absolute[2]!}`
  if (!rest.startsWith("/")) return Option.none()
  const at = rest.indexOf("?")
  const path = at === -1 ? rest : rest.slice(0, at)
  return Option.some({ host: absolute?.[1], path, query: at === -1 ? "" : rest.slice(at + 1) })
}

const withoutPort = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "")

const decode = (text: string): Option.Option<string> => {
  try {
    return Option.some(decodeURIComponent(text))
  } catch {
    return Option.none()
  }
}

/**
 * The query of a target read as forms write it, "+" for a blank; `None` where it has no "+". Python's requests, and so oss2,
 * sends blanks this way, though it signs them as "%20". All other clients write "%20" for a blank and "%2B" for a plus sign.
 */
export const readFormQuery = (target: string): Option.Option<ReadonlyMap<string, string>> =>
  readTarget(target).pipe(
    Option.filter(({ query }) => query.includes("+")),
    Option.flatMap(({ query }) => Either.getRight(readQuery(query.replaceAll("+", "%20"))))
  )

/** The query's parameters, decoded; "+" stays "+". A name that stands twice is refused: OSS does not say which it takes. */
export const readQuery = (query: string): Either.Either<ReadonlyMap<string, string>, Refusal.Refusal> => {
  const parameters = new Map<string, string>()
  for (const pair of query.split("&")) {
    if (pair === "") continue
    const at = pair.indexOf("=")
    const name = decode(at === -1 ? pair : pair.slice(0, at))
    const value = decode(at === -1 ? "" : pair.slice(at + 1))
    if (Option.isNone(name) || Option.isNone(value)) {
      return Either.left(Refusal.badRequest("InvalidURI", "Couldn't parse the specified URI."))
    }
    if (parameters.has(name.value)) {
      return Either.left(
        Refusal.invalidArgument("The query parameter is given more than once.", name.value, value.value)
      )
    }
    parameters.set(name.value, value.value)
  }
  return Either.right(parameters)
}

const split = (path: string): { readonly bucket: string | undefined; readonly key: string | undefined } => {
  const at = path.indexOf("/")
  const bucket = at === -1 ? path : path.slice(0, at)
  const key = at === -1 ? "" : path.slice(at + 1)
  return { bucket: bucket || undefined, key: key || undefined }
}

type Place = Pick<Location, "addressing" | "bucket">

// The bucket of a virtual host; "service" when the host names none; "path" where the path tells.
const place = (authority: string, host: string, options: Options): Place | undefined => {
  const bound = options.cnames.get(authority.toLowerCase()) ?? options.cnames.get(host)
  if (bound !== undefined) return { addressing: "cname", bucket: bound }
  if (host === "" || host === "localhost" || ipAddress.test(host)) return { addressing: "path", bucket: undefined }
  for (const service of options.serviceHosts) {
    if (host === service) return { addressing: "path", bucket: undefined }
    if (host.endsWith(`.${service}`)) return inHost(host.slice(0, -service.length - 1))
  }
  const match = regional.exec(host) ?? local.exec(host)
  return match === null ? undefined : inHost(match[1] ?? "")
}

// ali-oss lists buckets with an empty label in front: `Host: .oss-cn-hangzhou.aliyuncs.com`.
const inHost = (bucket: string): Place =>
  bucket === "" ? { addressing: "service", bucket: undefined } : { addressing: "virtual-hosted", bucket }

/**
 * Where a request goes. Refuses targets that are no URL (405 for the authority form, which only CONNECT uses), broken
 * escapes, hosts that are bound to no bucket, and path style on a region's host, as OSS does.
 */
export const resolve = (
  target: string,
  hostHeader: string | undefined,
  options: Options
): Either.Either<Location, Refusal.Refusal> =>
  Either.gen(function* () {
    const read = readTarget(target)
    if (Option.isNone(read)) return yield* Either.left(Refusal.methodNotAllowed("CONNECT", "SERVICE"))
    const authority = read.value.host ?? hostHeader ?? ""
    const host = withoutPort(authority)
    const query = yield* readQuery(read.value.query)
    const decoded = decode(read.value.path)
    if (Option.isNone(decoded)) return yield* Either.left(Refusal.objectNameNotUtf8(read.value.path))
    const path = decoded.value.slice(1)
    const found = place(authority, host, options)
    if (found === undefined) {
      return yield* Either.left(
        Refusal.forbidden("NonStandardHostForbidden", "The host you requested is bound to no bucket.")
      )
    }
    switch (found.addressing) {
      // The C++ client lists buckets with `GET //`.
      case "path":
        if (/^\/*$/.test(path)) return { addressing: "service", bucket: undefined, key: undefined, query, host }
        return { addressing: "path", ...split(path), query, host }
      case "service":
        if (/^\/*$/.test(path)) return { ...found, key: undefined, query, host }
        return yield* Either.left(
          Refusal.forbidden(
            "SecondLevelDomainForbidden",
            "The bucket you are attempting to access must be addressed using OSS third level domain.",
            "",
            [["HostId", host]]
          )
        )
      default:
        return { ...found, key: path || undefined, query, host }
    }
  })
