/**
 * Why OSS refuses an upload for its callback parameters, before it stores a byte: status 400, InvalidArgument. Pure data.
 *
 * The words are OSS's own wherever they are published ("expecten" is hers); those marked with a star are modelled on their
 * neighbours. Sources: "HTTP status code 400", https://www.alibabacloud.com/help/en/oss/support/http-400-status-code;
 * the articles by EC, https://help.aliyun.com/en/oss/user-guide/0007-00000002 to 0007-00000105; "The callback sni is
 * invalid", https://help.aliyun.com/zh/oss/the-callback-sni-is-invalid.
 */
import * as Either from "effect/Either"

export interface CallbackRefusal {
  readonly _tag: "CallbackRefusal"
  readonly status: 400
  readonly code: "InvalidArgument"
  readonly message: string
  /** `0007-…`; empty where none is published. */
  readonly ec: string
  readonly argumentName: string
  /** What was sent, decoded as far as it could be; characters that XML cannot carry are replaced. */
  readonly argumentValue: string
}

// What XML cannot carry, and what a client may well send: control characters, lone surrogates, non-characters.
const outsideXml = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/** The value of an argument, refused. */
export type Refuse = (argumentValue: string) => Either.Either<never, CallbackRefusal>

const refuse =
  (ec: string, argumentName: string, message: string): Refuse =>
  (argumentValue) =>
    Either.left({
      _tag: "CallbackRefusal",
      status: 400,
      code: "InvalidArgument",
      message,
      ec: ec === "" ? "" : `0007-00000${ec}`,
      argumentName,
      argumentValue: argumentValue.replace(outsideXml, "\u{fffd}")
    })

// The parameter `callback` as it was sent.
export const tooLong = refuse("001", "callback", "The length of callback exceed max value.")
export const notBase64 = refuse("002", "callback", "The callback configuration is not base64 encoded.")
export const notJson = refuse("003", "callback", "The callback configuration is not json format.")
export const twice = refuse(
  "027",
  "callback",
  "Either the callback query string parameter or the x-oss-callback header should be specified, not both."
)

// `callbackUrl`
export const badUrl = refuse("004", "callbackUrl", "The callback url configuration is invalid.")
export const tooManyUrls = refuse("005", "callbackUrl", "The number of callback url exceed max value.")
export const unknownHost = refuse("007", "callbackUrl", "Can not get ip by this host.")
export const privateAddress = refuse("008", "callbackUrl", "Private address is forbidden to callback.")

// The other fields: OSS quotes the whole configuration.
export const badHost = refuse("009", "callback", "The callback host configuration is invalid.")
export const badBody = refuse("010", "callback", "The callback body is invalid.")
export const emptyBody = refuse("011", "callback", "The callback body is empty.")
export const badBodyType = refuse("012", "callback", "The callback body type configuration is invalid.")
export const unsupportedBodyType = refuse("013", "callback", "The body type of callback is not supported.")
export const badSni = refuse("014", "callback", "The callback sni is invalid.")

// Open to invited customers only, and not spoken here.
/** * */
export const unsupportedSignatureVersion = refuse("021", "callback", "The callback signature version is not supported.")
/** * */
export const badAdditionalHeaders = refuse("025", "callback", "The additional headers of callback is invalid.")
/** * */
export const unsupportedAdditionalHeaders = refuse(
  "026",
  "callback",
  "The additional headers of callback is not supported."
)

/** * A policy that the bucket does not have. */
export const unknownPolicy = refuse("", "callbackPolicy", "The callback policy does not exist.")

// The parameter `callback-var`
export const varTooLong = refuse("101", "callback-var", "The length of callback var exceed max value.")
/** * */
export const varNotBase64 = refuse("102", "callback-var", "The callback var is not base64 encoded.")
export const varNotJson = refuse("103", "callback-var", "The callback var is not expecten json.")
/** Not a map from names in lower case that begin with `x:` to strings. */
export const varNotStrings = refuse("104", "callback-var", "The callback var is not expecten json.")
/** The EC of this one is not published: it is that of `twice`. */
export const varTwice = refuse(
  "027",
  "callback-var",
  "Either the callback-var query string parameter or the x-oss-callback-var header should be specified, not both."
)

// The placeholders of `callbackBody`
export const strayDollar = refuse("105", "ReplaceKeyPrefix", "Left brace must be adjacent to dollar sign.")
