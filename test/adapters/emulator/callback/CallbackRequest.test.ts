/**
 * What a callback says, and what its signature is made over.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as NodeCrypto from "node:crypto"
import { stringToSign } from "../../../../adapters/emulator/callback/CallbackRequest.ts"
import * as CallbackUrl from "../../../../adapters/emulator/callback/CallbackUrl.ts"
import * as Facts from "../../../../adapters/emulator/callback/Facts.ts"
import * as CallbackTemplate from "../../../../core/wire/callback/CallbackTemplate.ts"
import * as CallbackSignature from "../../../../core/wire/CallbackSignature.ts"
import { facts } from "./Delivering.ts"

const urlOf = (text: string): CallbackUrl.CallbackUrl => {
  const [url] = Either.getOrThrow(CallbackUrl.parseList(text))
  if (url === undefined) throw new Error("no URL")
  return url
}

describe("the string to sign", () => {
  // Alibaba's public key, and signatures that OSS made: the first stands in the help for "Callback", the second in a
  // capture that its receiver published.
  const alibaba = NodeCrypto.createPublicKey({
    key: Buffer.from(
      "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGsC0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==",
      "base64"
    ),
    format: "der",
    type: "spki"
  })

  it.each([
    [
      "example.com/index.php?id=1&index=2",
      "bucket=yonghu-test",
      "kKQeGTRccDKyHB3H9vF+xYMSrmhMZjzzl2/kdD1ktNVgbWEfYTQG0G2SU/RaHBovRCE8OkQDjC3uG33esH2txA=="
    ],
    [
      "http://example.com/api/AliYunOssCallback",
      "filename=headSculpture%2Fjikang2.jpg&size=108904&mimeType=image%2Fjpeg&height=278&width=200",
      "HHtQ8zgAo4WUCg7Iy/njrsluS+ZDmgMwIHag+vmRvIC4Ph5rxNQ3+WOfJZvzwIKQsNftEDC0PCU03hpjId3vIQ=="
    ]
  ])("is the one that OSS signed: %s", (url, body, signature) => {
    const text = stringToSign(urlOf(url), Buffer.from(body))
    expect(NodeCrypto.verify("md5", text, alibaba, Buffer.from(signature, "base64"))).toBe(true)
  })

  it("decodes the path only, and leaves a plus and broken escapes alone", () => {
    const text = stringToSign(urlOf("a.com/%E4%B8%AD+%zz%4?q=%41+"), Buffer.from("b=%41"))
    expect(Buffer.from(text).toString()).toBe("/中+%zz%4?q=%41+\nb=%41")
  })

  it("decodes to bytes, which need not be UTF-8", () => {
    expect([...stringToSign(urlOf("a.com/%ff"), Buffer.from("b"))]).toEqual([0x2f, 0xff, 0x0a, 0x62])
  })

  it("is the one that the core verifies, for every percent-encoded path", () => {
    const path = FastCheck.stringMatching(/^(?:[a-zA-Z0-9/._~!$&'()*+,=:@-]|%[0-9A-F]{2}){0,20}$/)
    FastCheck.assert(
      FastCheck.property(
        path,
        FastCheck.stringMatching(/^[a-z0-9=&%+?/]{0,9}$/),
        FastCheck.uint8Array(),
        (p, q, body) => {
          const url = urlOf(`http://a.com/${p}?${q}`)
          const core = CallbackSignature.stringToSign({ path: url.path, query: url.query, body })
          return core !== undefined && Buffer.from(core).equals(stringToSign(url, body))
        }
      ),
      { numRuns: 10_000 }
    )
  })
})

const order = (body: string, bodyType: CallbackTemplate.BodyType, variables: Record<string, string> = {}) => ({
  urls: [],
  host: undefined,
  body,
  bodyType,
  sni: false,
  variables: new Map(Object.entries(variables))
})

describe("the body", () => {
  const image = { format: "jpg", width: 810, height: 539 } as const
  const names = Object.keys(CallbackTemplate.systemVariables)

  it("knows every variable of OSS: as a form", () => {
    const template = names.map((name) => `${name}=\${${name}}`).join("&")
    expect(Facts.render(order(template, CallbackTemplate.form), { ...facts, image, vpcId: "t4nxxxx" })).toBe(
      "bucket=examplebucket&object=videos%2Fholiday.mp4&etag=5D41402ABC4B2A76B9719D911017C592&size=5" +
        "&mimeType=video%2Fmp4&imageInfo.height=539&imageInfo.width=810&imageInfo.format=jpg" +
        "&crc64=11051210869376104954&contentMd5=XUFAKrxLKna5cZ2REBfFkg%3D%3D&vpcId=t4nxxxx&clientIp=127.0.0.1" +
        "&reqId=65A1B2C3D4E5F60718293A4B&operation=PutObject"
    )
  })

  it("knows every variable of OSS: as JSON", () => {
    const template = `{${names.map((name) => `"${name}":\${${name}}`).join(",")}}`
    expect(Facts.render(order(template, CallbackTemplate.json), { ...facts, image, contentMd5: undefined })).toBe(
      '{"bucket":"examplebucket","object":"videos/holiday.mp4","etag":"5D41402ABC4B2A76B9719D911017C592","size":5,' +
        '"mimeType":"video/mp4","imageInfo.height":539,"imageInfo.width":810,"imageInfo.format":"jpg",' +
        '"crc64":11051210869376104954,"contentMd5":null,"vpcId":null,"clientIp":"127.0.0.1",' +
        '"reqId":"65A1B2C3D4E5F60718293A4B","operation":"PutObject"}'
    )
  })

  it("knows the client's own variables, and nothing that is not there", () => {
    const template = '{"a":${x:a},"b":${x:b},"c":${constructor}}'
    expect(Facts.render(order(template, CallbackTemplate.json, { "x:a": 'say "hi"' }), facts)).toBe(
      '{"a":"say \\"hi\\"","b":null,"c":null}'
    )
  })

  it("says whether it wants to know about an image", () => {
    expect(Facts.wantsImage(order("w=${imageInfo.width}", CallbackTemplate.form))).toBe(true)
    expect(Facts.wantsImage(order("w=imageInfo.width&o=${object}", CallbackTemplate.form))).toBe(false)
  })
})
