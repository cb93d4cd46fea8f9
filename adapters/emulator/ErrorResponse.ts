/**
 * A refusal as OSS sends it: an XML document, or for HEAD the same document in base64 in `x-oss-err`. Pure.
 *
 * Source: "Error responses", https://www.alibabacloud.com/help/en/oss/developer-reference/error-responses
 */
import * as Http from "./Http.ts"
import type { Refusal } from "./Refusal.ts"
import * as XmlText from "./XmlText.ts"

// What XML cannot carry and a request can: a document must be readable that refuses a key with a NUL in it.
const outsideXml = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

const element = (name: string, text: string): XmlText.Markup =>
  XmlText.element(name, text.replace(outsideXml, "\u{fffd}"))

/** What the document says besides the refusal itself. */
export interface Context {
  readonly requestId: string
  /** The host the request was sent to. */
  readonly hostId: string
}

/** The error document. */
export const document = (refusal: Refusal, { requestId, hostId }: Context): string =>
  XmlText.document(
    XmlText.parent(
      "Error",
      XmlText.element("Code", refusal.code),
      XmlText.element("Message", refusal.message),
      XmlText.element("RequestId", requestId),
      element("HostId", hostId),
      ...refusal.details.map(([name, value]) => element(name, value)),
      ...(refusal.ec === ""
        ? []
        : [
            XmlText.element("EC", refusal.ec),
            XmlText.element("RecommendDoc", `https://api.aliyun.com/troubleshoot?q=${refusal.ec}`)
          ])
    )
  )

/** The whole answer. 304 has neither document nor headers of its own. */
export const make = (refusal: Refusal, method: string, context: Context): Http.Response => {
  const headers = { ...refusal.headers, ...(refusal.ec === "" ? {} : { "x-oss-ec": refusal.ec }) }
  const text = document(refusal, context)
  if (method === "HEAD") {
    return Http.noBody(refusal.status, { ...headers, "x-oss-err": Buffer.from(text).toString("base64") })
  }
  return Http.xml(refusal.status, text, headers)
}
