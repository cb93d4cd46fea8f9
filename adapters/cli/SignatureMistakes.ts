/**
 * Which of the usual mistakes made a signature that OSS found wrong. Pure but for the hashing.
 *
 * OSS's refusal holds the text that should have been signed and the signature that came. With the secret at hand, each
 * mistake is made on purpose: the one whose signature is the one that came, was made. Source: "Signature Version 4" and
 * "Signature Version 1", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import { createHash, createHmac } from "node:crypto"
import * as ObjectHeaders from "../../core/wire/ObjectHeaders.ts"

/** What OSS's refusal says. */
export interface Refused {
  readonly stringToSign: string
  /** Version 4 only; not in every refusal. */
  readonly canonicalRequest: string | undefined
  readonly provided: string
}

/** One way to go wrong: its name, and what would have been signed, with which secret. */
interface Mistake {
  readonly name: string
  readonly signature: string
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text, "utf8").digest()
const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex")

const v4 = "OSS4-HMAC-SHA256"

/** The signature of version 4 for a string to sign, whose third line names day, region and product. */
const signV4 = (secret: string, stringToSign: string, prefix = "aliyun_v4"): string => {
  const [, , scope = ""] = stringToSign.split("\n")
  const key = scope.split("/").reduce<string | Buffer>((key, part) => hmac(key, part), prefix + secret)
  return createHmac("sha256", key).update(stringToSign, "utf8").digest("hex")
}

const signV1 = (secret: string, stringToSign: string): string =>
  createHmac("sha1", secret).update(stringToSign, "utf8").digest("base64")

/** Whether the refusal is about version 4. */
export const isV4 = ({ stringToSign }: Refused): boolean => stringToSign.startsWith(v4)

const sign = (refused: Refused, secret: string, text = refused.stringToSign): string =>
  isV4(refused) ? signV4(secret, text) : signV1(secret, text)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Other texts that clients make of one line, by what they did wrong. */
const pathMistakes: ReadonlyArray<readonly [string, (path: string) => string]> = [
  ["the path was signed without the bucket", (path) => path.replace(/^\/[^/]+/, "") || "/"],
  ["the path was signed without being percent-encoded", decoded],
  ["the path was percent-encoded twice", (path) => path.replaceAll("%", "%25")],
  ["slashes in the key were encoded as %2F", (path) => path.replace(/(?<=^\/[^/]+\/.*)\//g, "%2F")],
  ["blanks were signed as +", (path) => path.replaceAll("%20", "+")],
  [
    "the path was signed with small letters in its escapes",
    (path) => path.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
  ],
  ["the bucket is missing a / behind it", (path) => path.replace(/^(\/[^/]+)\/$/, "$1")]
]

const queryMistakes: ReadonlyArray<readonly [string, (query: string) => string]> = [
  ["the query was not signed", () => ""],
  ["the query was signed without being percent-encoded", decoded],
  ["blanks in the query were signed as +", (query) => query.replaceAll("%20", "+")],
  ["parameters without a value were signed with a =", (query) => query.replace(/(^|&)([^=&]+)(?=&|$)/g, "$1$2=")],
  ["the query was not sorted", (query) => query.split("&").toReversed().join("&")]
]

/** What a client may have taken for the content's type. */
const typesFor = (path: string): ReadonlyArray<string> => [
  ...new Set([
    ObjectHeaders.typeOf(path),
    `${ObjectHeaders.typeOf(path)}; charset=utf-8`,
    `${ObjectHeaders.typeOf(path)};charset=UTF-8`,
    "application/octet-stream",
    "text/plain",
    "application/json",
    "application/x-www-form-urlencoded",
    "binary/octet-stream"
  ])
]

const requestMistakes = (canonicalRequest: string): ReadonlyArray<readonly [string, string]> => {
  const lines = canonicalRequest.split("\n")
  const [method = "", path = "", query = ""] = lines
  const headers = lines.slice(3, -3)
  const [, additional = "", payload = ""] = lines.slice(-3)
  const text = (changed: {
    path?: string
    query?: string
    headers?: ReadonlyArray<string>
    additional?: string
    method?: string
    payload?: string
  }) =>
    [
      changed.method ?? method,
      changed.path ?? path,
      changed.query ?? query,
      ...(changed.headers ?? headers),
      "",
      changed.additional ?? additional,
      changed.payload ?? payload
    ].join("\n")
  const nameOf = (header: string): string => header.split(":", 1)[0] ?? ""
  const others = headers.filter((header) => nameOf(header) !== "content-type")
  const arrived = headers.find((header) => nameOf(header) === "content-type")
  return [
    ...typesFor(path).map(
      (type) =>
        [
          `content-type: ${type} was signed, but ${arrived === undefined ? "did not arrive" : `${arrived} arrived`}`,
          text({ headers: [...others, `content-type:${type}`].sort() })
        ] as const
    ),
    ...pathMistakes.map(([name, change]) => [name, text({ path: change(path) })] as const),
    ...queryMistakes.map(([name, change]) => [name, text({ query: change(query) })] as const),
    ...headers.map(
      (header) =>
        [
          `${nameOf(header)} was sent, but not signed`,
          text({ headers: headers.filter((other) => other !== header) })
        ] as const
    ),
    ...headers.map(
      (header) =>
        [
          `${nameOf(header)} was signed empty`,
          text({ headers: headers.map((other) => (other === header ? `${nameOf(header)}:` : other)) })
        ] as const
    ),
    ["the headers were not sorted", text({ headers: headers.toReversed() })],
    ["the method was signed in small letters", text({ method: method.toLowerCase() })],
    ["another method was signed: GET", text({ method: "GET" })],
    ["another method was signed: PUT", text({ method: "PUT" })],
    ["another method was signed: POST", text({ method: "POST" })],
    ["additional headers were named, but not signed so", text({ additional: "" })],
    ["the hash of an empty body was signed in place of UNSIGNED-PAYLOAD", text({ payload: sha256("") })],
    ["the empty line behind the headers was left out", canonicalRequest.replace("\n\n", "\n")]
  ]
}

const secretMistakes = (secret: string): ReadonlyArray<readonly [string, string]> => [
  ["a line feed stood behind the secret", `${secret}\n`],
  ["a blank stood behind the secret", `${secret} `],
  ["a blank stood before the secret", ` ${secret}`],
  ["a carriage return stood behind the secret", `${secret}\r`],
  ["the secret stood in quotes", `"${secret}"`]
]

const stringMistakes = (stringToSign: string): ReadonlyArray<readonly [string, string]> => {
  const [algorithm = "", date = "", scope = "", hash = ""] = stringToSign.split("\n")
  const [day = "", region = "", product = "", end = ""] = scope.split("/")
  const text = (date: string, scope: string) => [algorithm, date, scope, hash].join("\n")
  return [
    ["the region was signed as the endpoint's label", text(date, [day, `oss-${region}`, product, end].join("/"))],
    ["the product was signed as s3", text(date, [day, region, "s3", end].join("/"))],
    ["the scope was signed as AWS's", text(date, [day, region, product, "aws4_request"].join("/"))]
  ]
}

const mistakesV4 = ({ canonicalRequest, stringToSign }: Refused, secret: string): ReadonlyArray<Mistake> => {
  const withHash = (request: string): string => [...stringToSign.split("\n").slice(0, 3), sha256(request)].join("\n")
  return [
    ...secretMistakes(secret).map(([name, other]) => ({ name, signature: signV4(other, stringToSign) })),
    ...stringMistakes(stringToSign).map(([name, text]) => ({ name, signature: signV4(secret, text) })),
    { name: "the key was derived as AWS's", signature: signV4(secret, stringToSign, "AWS4") },
    { name: "the key was derived without aliyun_v4", signature: signV4(secret, stringToSign, "") },
    ...(canonicalRequest === undefined
      ? []
      : requestMistakes(canonicalRequest).map(([name, text]) => ({ name, signature: signV4(secret, withHash(text)) })))
  ]
}

const mistakesV1 = ({ stringToSign }: Refused, secret: string): ReadonlyArray<Mistake> => {
  const lines = stringToSign.split("\n")
  const signed = (name: string, change: (lines: Array<string>) => void): Mistake => {
    const changed = [...lines]
    change(changed)
    return { name, signature: signV1(secret, changed.join("\n")) }
  }
  const last = lines.length - 1
  const resource = (name: string, change: (resource: string) => string): Mistake =>
    signed(name, (changed) => void (changed[last] = change(changed[last] ?? "")))
  return [
    ...secretMistakes(secret).map(([name, other]) => ({ name, signature: signV1(other, stringToSign) })),
    signed("the Content-MD5 was not signed", (changed) => void (changed[1] = "")),
    signed("the Content-Type was not signed", (changed) => void (changed[2] = "")),
    ...typesFor(lines[last] ?? "").map((type) =>
      signed(
        `Content-Type ${type} was signed, but ${lines[2] === "" ? "none" : lines[2]} arrived`,
        (changed) => void (changed[2] = type)
      )
    ),
    ...lines
      .slice(4, last)
      .map((header, i) =>
        signed(`${header.split(":", 1)[0]} was sent, but not signed`, (changed) => void changed.splice(4 + i, 1))
      ),
    resource("the resource was signed without the bucket", (text) => text.replace(/^\/[^/]+/, "") || "/"),
    resource("the resource was signed percent-encoded", (text) => encodeURI(text)),
    resource("the query was not signed", (text) => text.split("?", 1)[0] ?? "")
  ]
}

/** What can be said with the secret. */
export type Diagnosis =
  | { readonly _tag: "OtherSecret" }
  | { readonly _tag: "Mistake"; readonly name: string }
  | { readonly _tag: "Unknown"; readonly tried: number }

/** Looks for the mistake whose signature is the one that came. */
export const diagnose = (refused: Refused, secret: string): Diagnosis => {
  // It would have been right, so OSS holds another secret for this ID.
  if (sign(refused, secret) === refused.provided) return { _tag: "OtherSecret" }
  const mistakes = isV4(refused) ? mistakesV4(refused, secret) : mistakesV1(refused, secret)
  const made = mistakes.find(({ signature }) => signature === refused.provided)
  return made === undefined ? { _tag: "Unknown", tried: mistakes.length } : { _tag: "Mistake", name: made.name }
}

/** Whether the canonical request is the one whose hash OSS signed: a terminal or a mail may have changed it. */
export const isIntact = ({ canonicalRequest, stringToSign }: Refused): boolean =>
  canonicalRequest === undefined || stringToSign.endsWith(sha256(canonicalRequest))
