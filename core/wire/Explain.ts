/**
 * Why OSS found another signature than ours, in one sentence: what that means, and where its text first differs. Pure.
 *
 * A SignatureDoesNotMatch answer may carry the two texts that OSS signed. Values that would let a reader act or look inside
 * (tokens, signatures, callbacks) never appear, only their names. The texts come from the network: no more than `maxLength`
 * characters of each are read, in a time linear in them. Source: "Error responses",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses
 */
import type { Signed } from "./Signature.ts"
import * as Secrecy from "./signature/Secrecy.ts"

/** What OSS says that it signed. It leaves either out at will; an empty text counts as left out. */
export interface Theirs {
  readonly canonicalRequest?: string | undefined
  readonly stringToSign?: string | undefined
}

/** The most of each text that is read, in characters. The headers of a real request take less than half of it. */
export const maxLength = 32_768

/** The sentence; `undefined` when the answer carries neither text. */
export const explain = (ours: Signed, theirs: Theirs): string | undefined => {
  const theirRequest = cut((theirs.canonicalRequest ?? "").trim())
  const theirString = cut((theirs.stringToSign ?? "").trim())
  const ourRequest = cut(ours.canonicalRequest)
  const quoting = Secrecy.quoting(ourRequest, ours.signature)
  if (theirRequest !== "" && theirRequest !== ourRequest) return inRequest(ourRequest, theirRequest, quoting)
  if (theirRequest.length === maxLength) return `the canonical requests agree in their first ${maxLength} characters`
  if (theirString !== "" && theirString !== ours.stringToSign) {
    return inString(ours.stringToSign, theirString, theirRequest !== "", quoting)
  }
  if (theirString !== "") {
    return "OSS signed the same text, so the AccessKeySecret is not that of the AccessKeyId (are there blanks around it?)"
  }
  return theirRequest === ""
    ? undefined
    : "OSS read the request as we signed it, so the AccessKeySecret, the region or the date is wrong"
}

const cut = (text: string): string => (text.length > maxLength ? text.slice(0, maxLength) : text)

const sentence = (cause: string, where: string, [ours, theirs]: readonly [string, string]): string =>
  `${cause}; first difference in ${where}: ours ${ours}, OSS ${theirs}`

/** Method, path, query, signed headers, an empty line, additional names, payload word. */
const inRequest = (ourText: string, theirText: string, quoting: Secrecy.Quoting): string => {
  const ours = ourText.split("\n")
  const theirs = theirText.split("\n")
  if (theirs.length < 6)
    return `OSS's canonical request has ${theirs.length} of the 6 or more lines; ours has ${ours.length}`
  // Lines behind the headers are counted from the end, because the headers may differ in number.
  const whole = (cause: string, our: number, their: number) =>
    sentence(cause, place(our), quoting.two(ours[our], theirs.at(their)))
  if (ours[0] !== theirs[0]) return whole("the method differs", 0, 0)
  if (ours[1] !== theirs[1]) return whole(pathCause(ours[1] ?? "", theirs[1] ?? ""), 1, 1)
  const parameter = firstItem((ours[2] ?? "").split("&"), (theirs[2] ?? "").split("&"), "=", quoting)
  if (parameter !== undefined) return sentence(`query parameter ${parameter.cause}`, place(2), parameter.quoted)
  const header = firstItem(ours.slice(3, -3), theirs.slice(3, -3), ":", quoting)
  if (header !== undefined) return sentence(header.cause, place(3 + header.index), header.quoted)
  return ours.at(-2) === theirs.at(-2)
    ? whole("the last line, x-oss-content-sha256, differs", ours.length - 1, -1)
    : whole("the names of the additional headers differ", ours.length - 2, -2)
}

const place = (index: number): string => `line ${index + 1} of the canonical request`

const pathCause = (ours: string, theirs: string): string =>
  ours.split("/", 2)[1] === theirs.split("/", 2)[1]
    ? "the key differs: something rewrote the path on its way"
    : "the bucket differs"

/** The first header or parameter, in the order in which they are signed, that one side lacks or has with another value. */
const firstItem = (
  ours: ReadonlyArray<string>,
  theirs: ReadonlyArray<string>,
  separator: string,
  { one, two }: Secrecy.Quoting
): { index: number; cause: string; quoted: readonly [string, string] } | undefined => {
  const end = Math.max(ours.length, theirs.length)
  let index = 0
  while (index < end && ours[index] === theirs[index]) index++
  if (index === end) return undefined
  const our = itemOf(ours[index], separator)
  const their = itemOf(theirs[index], separator)
  const found = (cause: string) => ({ index, cause, quoted: two(our?.shown, their?.shown) })
  const lacks = (items: ReadonlyArray<string>, { name }: Item) =>
    items.every((item) => itemOf(item, separator)?.name !== name)
  if (our !== undefined && our.name === their?.name) return found(`${one(our.name)} arrived with another value`)
  if (their !== undefined && lacks(ours, their)) {
    return found(
      `${one(their.name)} was not signed, but ${their.secret || their.value === "" ? "it" : one(their.value)} was sent`
    )
  }
  if (our !== undefined && lacks(theirs, our)) return found(`${one(our.name)} was signed, but did not arrive`)
  return found("the order differs")
}

interface Item {
  readonly name: string
  readonly value: string
  readonly secret: boolean
  /** As it stands in the text, without a secret value. */
  readonly shown: string
}

const itemOf = (text: string | undefined, separator: string): Item | undefined => {
  if (text === undefined || text === "") return undefined
  const end = text.indexOf(separator)
  const name = end === -1 ? text : text.slice(0, end)
  const secret = Secrecy.isSecret(name)
  const shown = secret && end !== -1 ? `${name}${separator}(hidden)` : text
  return { name, value: end === -1 ? "" : text.slice(end + 1), secret, shown }
}

/** Algorithm, date, scope, hash of the canonical request. */
const inString = (ourText: string, theirText: string, requestsAgree: boolean, quoting: Secrecy.Quoting): string => {
  const ours = ourText.split("\n")
  const theirs = theirText.split("\n")
  const differing = ours.findIndex((line, i) => line !== theirs[i])
  const index = differing === -1 ? ours.length : differing // theirs goes on where ours ends
  const causes = [
    "the signing method differs",
    "the date differs: x-oss-date changed on its way",
    scopeCause(ours[2] ?? "", theirs[2] ?? ""),
    requestsAgree
      ? "the canonical requests read alike but hash differently: are there characters beyond ASCII in headers?"
      : "the canonical requests differ, but OSS did not show its own",
    "OSS's text has more lines"
  ]
  return sentence(causes[index]!, `line ${index + 1} of the string to sign`, quoting.two(ours[index], theirs[index]))
}

const scopeCause = (ours: string, theirs: string): string => {
  const parts = ours.split("/", 4)
  const differing = theirs.split("/", 4).findIndex((part, i) => part !== parts[i])
  return `the ${["date", "region", "product"][differing] ?? "scope"} of the signature differs`
}
