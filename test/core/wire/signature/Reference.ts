/**
 * Signature V4 written a second time, as plainly as it goes: byte by byte, with Node's own HMAC, and without any cache.
 *
 * For requests that can be signed; it checks nothing. Source: "Signature Version 4",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Redacted from "effect/Redacted"
import * as Node from "node:crypto"
import type * as Signature from "../../../../core/wire/Signature.ts"

type Texts = Readonly<Record<string, string>>

const hmac = (key: Uint8Array | string, text: string) => Node.createHmac("sha256", key).update(text).digest()

/** Everything but the unreserved characters, as the UTF-8 bytes in hexadecimal. */
export const encode = (text: string): string =>
  [...Buffer.from(text, "utf8")]
    .map((byte) => {
      const character = String.fromCharCode(byte)
      return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
    })
    .join("")

const encodeKey = (key: string) => key.split("/").map(encode).join("/")

const byBytes = ([a]: readonly [string, string], [b]: readonly [string, string]) =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

const canonicalQuery = (query: Texts): string =>
  Object.entries(query)
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(byBytes)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .filter((pair) => pair !== "")
    .join("&")

const datetimeOf = (time: number) => new Date(time).toISOString().replace(/[:-]|\.\d{3}/g, "")

const scopeOf = ({ product = "oss", region, time }: Signature.Terms) =>
  `${datetimeOf(time).slice(0, 8)}/${region}/${product}/aliyun_v4_request`

const keyOf = (terms: Signature.Terms): Uint8Array =>
  scopeOf(terms)
    .split("/")
    .reduce<Uint8Array | string>(hmac, `aliyun_v4${Redacted.value(terms.credentials.accessKeySecret)}`) as Uint8Array // four HMACs

const signed = (request: Signature.Request, headers: Texts, query: Texts, payload: string, terms: Signature.Terms) => {
  const isDefault = (name: string) => /^(?:content-type|content-md5|x-oss-.*)$/.test(name)
  const additional = [...new Set((request.additionalHeaders ?? []).map((name) => name.toLowerCase()))]
    .filter((name) => !isDefault(name))
    .sort()
  const lines = Object.entries(headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, "")])
    .filter(([name]) => isDefault(name) || additional.includes(name))
    .sort(byBytes)
    .map(([name, value]) => `${name}:${value}\n`)
  const { bucket, key = "", method } = request
  const path = bucket === undefined ? "/" : `/${encode(bucket)}/${encodeKey(key)}`
  const canonicalRequest = [method, path, canonicalQuery(query), lines.join(""), additional.join(";"), payload].join(
    "\n"
  )
  const digest = Node.createHash("sha256").update(canonicalRequest, "utf8").digest("hex")
  const stringToSign = ["OSS4-HMAC-SHA256", datetimeOf(terms.time), scopeOf(terms), digest].join("\n")
  const signature = hmac(keyOf(terms), stringToSign).toString("hex")
  return { additional, canonicalRequest, stringToSign, signature }
}

const tokenOf = ({ credentials: { securityToken } }: Signature.Terms) =>
  securityToken === undefined ? "" : Redacted.value(securityToken)

const without = (texts: Texts, names: RegExp): Texts =>
  Object.fromEntries(Object.entries(texts).filter(([name]) => !names.test(name)))

/** What `Signature.signHeaders` gives. */
export const signHeaders = (request: Signature.Request, terms: Signature.Terms) => {
  const token = tokenOf(terms)
  const own = {
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
    "x-oss-date": datetimeOf(terms.time),
    ...(token === "" ? {} : { "x-oss-security-token": token })
  }
  const theirs = without(request.headers, /^(?:x-oss-(?:content-sha256|date|security-token))$/i)
  const { additional, canonicalRequest, signature, stringToSign } = signed(
    request,
    { ...theirs, ...own },
    request.query,
    "UNSIGNED-PAYLOAD",
    terms
  )
  const named = additional.length === 0 ? "" : `,AdditionalHeaders=${additional.join(";")}`
  const credential = `${terms.credentials.accessKeyId}/${scopeOf(terms)}`
  const authorization = `OSS4-HMAC-SHA256 Credential=${credential}${named},Signature=${signature}`
  return { canonicalRequest, stringToSign, signature, headers: { ...own, authorization } }
}

/** What `Signature.presign` gives, but for the headers. */
export const presign = (request: Signature.Request, terms: Signature.PresignTerms) => {
  const token = tokenOf(terms)
  const names = (request.additionalHeaders ?? []).map((name) => name.toLowerCase())
  const additional = [...new Set(names)].filter((name) => !/^(?:content-type|content-md5|x-oss-.*)$/.test(name)).sort()
  const signing = /^x-oss-(?:signature-version|credential|date|expires|security-token|additional-headers|signature)$/
  const query = {
    ...without(request.query, signing),
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": `${terms.credentials.accessKeyId}/${scopeOf(terms)}`,
    "x-oss-date": datetimeOf(terms.time),
    "x-oss-expires": String(terms.expiresIn),
    ...(token === "" ? {} : { "x-oss-security-token": token }),
    ...(additional.length === 0 ? {} : { "x-oss-additional-headers": additional.join(";") })
  }
  const payload = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "x-oss-content-sha256")?.[1]
  const { canonicalRequest, signature, stringToSign } = signed(
    request,
    request.headers,
    query,
    payload?.replace(/^[ \t]+|[ \t]+$/g, "") || "UNSIGNED-PAYLOAD",
    terms
  )
  return {
    canonicalRequest,
    stringToSign,
    signature,
    search: `${canonicalQuery(query)}&x-oss-signature=${signature}`,
    query: { ...query, "x-oss-signature": signature }
  }
}
