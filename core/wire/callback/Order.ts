/**
 * What an upload asks of OSS: call these URLs with this body. Checked and encoded once; the base64 text is what is signed
 * and sent (decisions/0005). Pure.
 *
 * Limits: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback, and the error-code articles
 * 0007-00000001 to 0007-00000105.
 */
import * as Either from "effect/Either"
import * as Base64 from "../../model/Base64.ts"
import { InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import * as CallbackTemplate from "./CallbackTemplate.ts"

/** The longest callback, and the longest callback-var, in bytes of base64. */
export const maxEncodedBytes = 5 * 1024
/** The most URLs, tried in order until one answers. */
export const maxUrls = 5

export interface Order {
  readonly urls: ReadonlyArray<string>
  /** The Host header of the callback; default: the host of the URL. */
  readonly host?: string | undefined
  /** Whether OSS names the host when it opens a TLS connection; default: for https URLs. */
  readonly sni?: boolean | undefined
  readonly template: string
  readonly bodyType: CallbackTemplate.BodyType
  /** By name, with the `x:`. */
  readonly variables: Readonly<Record<string, string>>
}

export interface Encoded {
  /** Base64 of the callback's JSON. */
  readonly callback: string
  /** Base64 of the variables' JSON; `undefined` without variables. */
  readonly callbackVar: string | undefined
  /** The variables by name, with the `x:`: a form carries each as a field of its own. */
  readonly variables: Readonly<Record<string, string>>
}

const refuse = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

// Scheme, host, port, path and query in printable ASCII. ";" would end the URL in OSS's list, "@" and "#" have no meaning.
const urlForm = /^(?:https?:\/\/)?([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(\d+))?(?:[/?][!"$-:<-?A-~]*)?$/i
const variableName = /^x:[a-z0-9_-]+$/

const checkUrl = (url: string): Either.Either<void, InvalidParam> => {
  const shown = JSON.stringify(url.split("?", 1)[0]) // a query may hold a token
  if (/^(?:https?:\/\/)?\[/i.test(url))
    return refuse("url", `must not be an IPv6 address, which OSS does not call, got ${shown}`)
  if (url.includes("${")) return refuse("url", `must not have variables, which OSS puts into bodies only, got ${shown}`)
  // Receivers could not tell what was signed.
  if (/%(?![0-9a-f]{2})/i.test(url)) return refuse("url", `must have two hex digits behind every "%", got ${shown}`)
  const match = urlForm.exec(url)
  if (match === null) {
    return refuse(
      "url",
      `must be an http or https URL in printable ASCII (percent-encode the rest) without ";", "@" and "#", got ${shown}`
    )
  }
  const port = match[2] === undefined ? 80 : Number(match[2])
  return port >= 1 && port <= 65_535 ? Either.void : refuse("url", `must have a port of 1 to 65535, got ${shown}`)
}

const checkVariables = (variables: Order["variables"]): Either.Either<void, InvalidParam> => {
  for (const [name, value] of Object.entries(variables)) {
    if (!variableName.test(name)) {
      return refuse(
        name,
        `a variable's name must be "x:" and a-z (lower case), 0-9, "_", "-", got ${JSON.stringify(name)}`
      )
    }
    if (!Utf8.isWellFormed(value)) return refuse(name, "must be well-formed Unicode, got a lone surrogate")
  }
  return Either.void
}

const refuseBody = (reason: string) => refuse("body", reason)

const checkTemplate = (order: Order): Either.Either<void, InvalidParam> => {
  if (order.template === "") return refuseBody("must not be empty")
  if (!Utf8.isWellFormed(order.template)) return refuseBody("must be well-formed Unicode, got a lone surrogate")
  if (/%24%7b/i.test(order.template)) {
    return refuseBody('must not have "${" percent-encoded (%24%7B): OSS would not see the variable')
  }
  const placeholders = CallbackTemplate.placeholders(order.template)
  if (Either.isLeft(placeholders)) return refuseBody(placeholders.left)
  for (const variable of placeholders.right) {
    if (Object.hasOwn(order.variables, variable) || Object.hasOwn(CallbackTemplate.systemVariables, variable)) continue
    return refuseBody(
      variable.startsWith("x:")
        ? `\${${variable}} is not defined: OSS would put in nothing`
        : `\${${variable}} is not one of OSS's variables, whose names are case-sensitive`
    )
  }
  if (order.bodyType === CallbackTemplate.form) return Either.void
  return Either.mapLeft(
    CallbackTemplate.checkJson(order.template),
    (reason) => new InvalidParam({ field: "body", reason })
  )
}

const encodeJson = (field: string, value: unknown): Either.Either<string, InvalidParam> => {
  const encoded = Base64.encode(JSON.stringify(value))
  return encoded.length <= maxEncodedBytes
    ? Either.right(encoded)
    : refuse(field, `must be at most ${maxEncodedBytes} bytes in base64, got ${encoded.length} bytes`)
}

/** Checks and encodes. Fails with `InvalidParam` for `url`, `host`, `body`, `callback`, `callback-var` or a variable. */
export const encode = (order: Order): Either.Either<Encoded, InvalidParam> =>
  Either.gen(function* () {
    const { urls, host, template, bodyType, variables } = order
    if (urls.length < 1 || urls.length > maxUrls) {
      return yield* refuse("url", `must be 1 to ${maxUrls} URLs, got ${urls.length} URLs`)
    }
    for (const url of urls) yield* checkUrl(url)
    if (host !== undefined && !/^[!-~]+$/.test(host)) return yield* refuse("host", "must be visible ASCII characters")
    yield* checkVariables(variables)
    yield* checkTemplate(order)
    const callback = yield* encodeJson("callback", {
      callbackUrl: urls.join(";"),
      callbackHost: host,
      callbackBody: template,
      callbackBodyType: bodyType,
      // JSON leaves out what is undefined.
      callbackSNI: (order.sni ?? urls.some((url) => url.startsWith("https:"))) ? true : undefined
    })
    const callbackVar = yield* encodeVariables(variables)
    return { callback, callbackVar, variables }
  })

const encodeVariables = (variables: Order["variables"]): Either.Either<string | undefined, InvalidParam> =>
  Object.keys(variables).length === 0 ? none : encodeJson("callback-var", variables)

const none = Either.right(undefined)

/** The same callback with other values for its variables. Fails with `InvalidParam` for `callback-var` or a variable. */
export const withVariables = (
  { callback }: Encoded,
  variables: Order["variables"]
): Either.Either<Encoded, InvalidParam> => {
  const checked = checkVariables(variables)
  if (Either.isLeft(checked)) return Either.left(checked.left)
  return Either.map(encodeVariables(variables), (callbackVar) => ({ callback, callbackVar, variables }))
}

/** Encodes the name of a callback that the bucket keeps. Fails with `InvalidParam` for `policy`. */
export const encodePolicy = (name: string): Either.Either<Encoded, InvalidParam> => {
  if (!/^[!-~]+$/.test(name)) return refuse("policy", "must be visible ASCII characters")
  return Either.map(encodeJson("callback", { callbackPolicy: name }), (callback) => ({
    callback,
    callbackVar: undefined,
    variables: {}
  }))
}
