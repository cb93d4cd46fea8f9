/**
 * The request that OSS sends to the application server, as data: headers, body, signature. Pure.
 *
 * Signed is the path, percent-decoded; then "?" and the query as it stands, if there is one; then a line feed and the body.
 * Sources: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback (its captured requests);
 * the order of headers is theirs.
 */
import * as NodeCrypto from "node:crypto"
import type * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import type { Service as Keys } from "./CallbackKeys.ts"
import * as CallbackUrl from "./CallbackUrl.ts"
import * as Facts from "./Facts.ts"
import type { ResolvedOrder, ResolvedUrl } from "./Resolution.ts"

export interface CallbackRequest {
  readonly url: ResolvedUrl
  /** Path and query, as they stand. */
  readonly target: string
  /** In the order and case of the wire. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** Whether TLS tells the server's name. */
  readonly sni: boolean
}

/** %XX becomes its byte; "+" and broken escapes stay. The text is ASCII. */
const percentDecode = (text: string): Buffer =>
  Buffer.from(
    text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1"
  )

/** What the signature of a callback (version 1.0) is made over. */
export const stringToSign = ({ path, query }: CallbackUrl.CallbackUrl, body: Uint8Array): Uint8Array =>
  Buffer.concat([percentDecode(path), Buffer.from(query === undefined ? "\n" : `?${query}\n`), body])

const base64 = (text: string): string => Buffer.from(text).toString("base64")

/** The request for one of an order's URLs. */
export const make = (
  order: ResolvedOrder,
  url: ResolvedUrl,
  facts: Facts.Facts,
  keys: Keys,
  publicKeyUrl: string
): CallbackRequest => {
  const body = Buffer.from(Facts.render(order, facts))
  return {
    url,
    target: CallbackUrl.target(url),
    body,
    sni: order.sni,
    headers: {
      Host: order.host ?? url.authority,
      Connection: "close",
      "Content-Length": String(body.length),
      Authorization: keys.sign(stringToSign(url, body)),
      "Content-MD5": NodeCrypto.createHash("md5").update(body).digest("base64"),
      "Content-Type": order.bodyType,
      Date: new Date(facts.time).toUTCString(),
      "User-Agent": "aliyun-oss-callback",
      "x-oss-additional-headers": "",
      "x-oss-bucket": facts.bucket,
      "x-oss-owner": facts.owner,
      "x-oss-pub-key-url": base64(publicKeyUrl),
      "x-oss-request-id": facts.requestId,
      "x-oss-requester": facts.requester,
      "x-oss-signature-version": "1.0",
      "x-oss-tag": "CALLBACK",
      "eagleeye-rpcid": "0.1"
    }
  }
}

/** The request as a receiver in this process gets it: what would have arrived over a socket. */
export const received = ({ url, headers, body }: CallbackRequest): CallbackReceiver.Request => ({
  method: "POST",
  path: url.path,
  query: url.query,
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  body
})
