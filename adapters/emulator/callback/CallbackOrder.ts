/**
 * What an upload orders: whom to call back, and with what. Read from the request before a byte is stored. Pure: names of
 * hosts are looked up by `Resolution`.
 *
 * The parameters come as headers, in the query, or as fields of a form; `callback-var` without `callback` has no effect,
 * and a callback without a URL is none. `callbackStage` and `callbackFailureAction` (a closed beta) are ignored, as every
 * field OSS does not know. A policy of the bucket takes the place of the whole configuration, and its variables win.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Either from "effect/Either"
import { isIPv4 } from "node:net"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as CallbackTemplate from "../../../core/wire/callback/CallbackTemplate.ts"
import * as Refusal from "./CallbackRefusal.ts"
import * as CallbackUrl from "./CallbackUrl.ts"
import * as CallbackVariables from "./CallbackVariables.ts"
import * as Encoded from "./Encoded.ts"
import * as PrivateAddress from "./PrivateAddress.ts"

/** `callback` and `callback-var` as they came: base64. */
export interface Parameters {
  readonly callback?: string | undefined
  readonly callbackVar?: string | undefined
}

export interface Sources {
  /** `x-oss-callback` and `x-oss-callback-var`. */
  readonly header?: Parameters | undefined
  /** `callback` and `callback-var`, percent-decoded. */
  readonly query?: Parameters | undefined
  /** The fields of a form, with those whose names begin with `x:`. */
  readonly form?: (Parameters & { readonly vars: Readonly<Record<string, string>> }) | undefined
  /** The callback policies of the bucket, by name. */
  readonly policies?: ReadonlyMap<string, { readonly callback: string; readonly callbackVar?: string | undefined }>
  /** Whether a URL may point into private networks, as it must on a developer's machine and never may in OSS. */
  readonly privateAddressesAllowed: boolean
}

export interface CallbackOrder {
  /** One to five, to be tried in this order. */
  readonly urls: ReadonlyArray<CallbackUrl.CallbackUrl>
  /** The Host header, when it is not the URL's own. */
  readonly host: string | undefined
  readonly body: string
  readonly bodyType: CallbackTemplate.BodyType
  /** Whether TLS tells the server's name. */
  readonly sni: boolean
  readonly variables: CallbackVariables.CallbackVariables
}

type Result<A> = Either.Either<A, Refusal.CallbackRefusal>

/** The order of an upload; `undefined` when it orders none. */
export const parse = (sources: Sources): Result<CallbackOrder | undefined> =>
  Either.gen(function* () {
    const { callback, callbackVar, fields } = yield* parameters(sources)
    if (callback === "") return undefined
    const asked = yield* configuration(callback)
    const policy = asked.members.get("callbackPolicy")
    if (policy === undefined) return yield* order(asked, yield* variables(callbackVar, fields), sources)
    const named = typeof policy === "string" ? sources.policies?.get(policy) : undefined
    if (named === undefined) return yield* Refusal.unknownPolicy(asked.text)
    return yield* order(
      yield* configuration(named.callback),
      new Map([
        ...(yield* variables(callbackVar, fields)),
        ...(yield* CallbackVariables.parse(named.callbackVar ?? ""))
      ]),
      sources
    )
  })

interface Collected {
  readonly callback: string
  readonly callbackVar: string
  readonly fields: Readonly<Record<string, string>>
}

/** The parameters, each from the one place it may come from; empty when it is nowhere. */
const parameters = ({ header, query, form }: Sources): Result<Collected> => {
  if (header?.callback !== undefined && query?.callback !== undefined) return Refusal.twice(query.callback)
  const callback = form?.callback ?? header?.callback ?? query?.callback ?? ""
  if (callback !== "" && header?.callbackVar !== undefined && query?.callbackVar !== undefined) {
    return Refusal.varTwice(query.callbackVar)
  }
  const callbackVar = form?.callbackVar ?? header?.callbackVar ?? query?.callbackVar ?? ""
  return Either.right({ callback, callbackVar, fields: form?.vars ?? {} })
}

const variables = (
  callbackVar: string,
  fields: Readonly<Record<string, string>>
): Result<CallbackVariables.CallbackVariables> =>
  Either.map(
    CallbackVariables.parse(callbackVar),
    (encoded) => new Map([...encoded, ...CallbackVariables.ofForm(fields)])
  )

interface Configuration {
  /** As it was sent. */
  readonly text: string
  readonly members: ReadonlyMap<string, unknown>
}

const faults: Readonly<Record<Encoded.Fault, Refusal.Refuse>> = {
  long: Refusal.tooLong,
  base64: Refusal.notBase64,
  json: Refusal.notJson
}

const configuration = (encoded: string): Result<Configuration> => {
  const decoded = Encoded.decode(encoded)
  if (Either.isLeft(decoded)) return faults[decoded.left.fault](decoded.left.text)
  const { text, value } = decoded.right
  const members = Encoded.members(value)
  return members === undefined ? Refusal.notJson(text) : Either.right({ text, members })
}

const order = (
  { text, members }: Configuration,
  variables: CallbackVariables.CallbackVariables,
  sources: Sources
): Result<CallbackOrder | undefined> =>
  Either.gen(function* () {
    const urls = yield* callbackUrls(members.get("callbackUrl"), sources)
    if (urls.length === 0) return undefined
    const host = yield* callbackHost(text, members.get("callbackHost"))
    const bodyType = yield* callbackBodyType(text, members.get("callbackBodyType"))
    const body = yield* callbackBody(text, members.get("callbackBody"))
    const sni = members.get("callbackSNI") ?? false
    if (typeof sni !== "boolean") return yield* Refusal.badSni(text)
    yield* inviteOnly(text, members)
    return { urls, host, body, bodyType, sni, variables }
  })

const callbackUrls = (value: unknown, sources: Sources): Result<ReadonlyArray<CallbackUrl.CallbackUrl>> => {
  if (value === undefined) return Either.right([])
  if (typeof value !== "string") return Refusal.badUrl(JSON.stringify(value))
  return Either.flatMap(CallbackUrl.parseList(value), (urls) =>
    !sources.privateAddressesAllowed && urls.some(isPrivate) ? Refusal.privateAddress(value) : Either.right(urls)
  )
}

const isPrivate = ({ hostname }: CallbackUrl.CallbackUrl): boolean =>
  isIPv4(hostname) && PrivateAddress.includes(hostname)

const callbackHost = (text: string, value: unknown): Result<string | undefined> => {
  if (value === undefined || value === "") return Either.right(undefined)
  if (typeof value !== "string" || CallbackUrl.parseAuthority(value) === undefined) return Refusal.badHost(text)
  return Either.right(value)
}

const callbackBodyType = (text: string, value: unknown): Result<CallbackTemplate.BodyType> => {
  if (value === undefined) return Either.right(CallbackTemplate.form)
  if (typeof value !== "string") return Refusal.badBodyType(text)
  return value === CallbackTemplate.form || value === CallbackTemplate.json
    ? Either.right(value)
    : Refusal.unsupportedBodyType(text)
}

const callbackBody = (text: string, value: unknown): Result<string> => {
  if (value === undefined || value === "") return Refusal.emptyBody(text)
  // A lone surrogate, which JSON can spell, has no form in UTF-8.
  if (typeof value !== "string" || !Utf8.isWellFormed(value)) return Refusal.badBody(text)
  return Either.isLeft(CallbackTemplate.placeholders(value)) ? Refusal.strayDollar(value) : Either.right(value)
}

/** Headers of the client's own, and the signature that covers them: OSS keeps both for customers it has invited. */
const inviteOnly = (text: string, members: ReadonlyMap<string, unknown>): Result<void> => {
  const version = members.get("signatureVersion")
  if (version !== undefined && version !== "1.0") return Refusal.unsupportedSignatureVersion(text)
  const headers = members.get("additionalHeaders")
  if (headers === undefined) return Either.void
  const named = Encoded.members(headers)
  if (named === undefined) return Refusal.badAdditionalHeaders(text)
  return named.size > 0 ? Refusal.unsupportedAdditionalHeaders(text) : Either.void
}
