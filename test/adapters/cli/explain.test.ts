import * as Redacted from "effect/Redacted"
import { createHash, createHmac } from "node:crypto"
import { describe, expect, it } from "vitest"
import * as Mistakes from "../../../adapters/cli/SignatureMistakes.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as Either from "effect/Either"
import * as Cli from "./Cli.ts"

const cli = Cli.install()

/** What the emulator says to a PUT by this URL with another header than was signed. */
const refusal = async (): Promise<string> => {
  const { value } = await cli.json(["presign", "oss://examplebucket/a b.txt", "--content-type", "text/plain"])
  const response = await fetch((value as { url: string }).url, {
    method: "PUT",
    headers: { "content-type": "image/png" },
    body: "x"
  })
  expect(response.status).toBe(403)
  return response.text()
}

describe("explain", () => {
  it("finds the mistake that was made, with the keys at hand, in whatever surrounds the refusal", async () => {
    const { code, stderr, stdout } = await cli.run(["explain", "-"], { input: `curl says:\n${await refusal()}\n$ ` })
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(
      /^content-type: text\/plain was signed, but content-type:image\/png arrived\n\nOSS signed, by version 4:\n {2}method {14}PUT\n {2}path {16}\/examplebucket\/a%20b\.txt\n/
    )
    expect(stdout).not.toContain(cli.environment["OSS_ACCESS_KEY_SECRET"])
  })

  it("says that OSS knows another secret, when everything else is right", async () => {
    const env = { OSS_ACCESS_KEY_SECRET: "another" }
    const { value } = await cli.json(["presign", "oss://examplebucket/a.txt"], { env })
    const { headers, url } = value as { url: string; headers: Record<string, string> }
    const answer = await (await fetch(url, { method: "PUT", headers, body: "x" })).text()
    const explained = await cli.json(["explain", "-"], { input: answer, env })
    expect(explained.code).toBe(0)
    expect((explained.value as { causes: ReadonlyArray<string> }).causes).toEqual([
      expect.stringContaining("OSS knows another secret for this AccessKeyId")
    ])
  })

  it("compares with what the client signed", async () => {
    const answer = await refusal()
    const theirs = /<CanonicalRequest>([\s\S]*)<\/CanonicalRequest>/.exec(answer)?.[1]?.replaceAll("&#38;", "&") ?? ""
    await cli.write("ours.txt", theirs.replace("image/png", "text/plain"))
    await cli.write("refusal.xml", answer)
    const env = { OSS_ACCESS_KEY_ID: undefined }
    const { code, stdout } = await cli.run(["explain", "refusal.xml", "--ours", "ours.txt"], { env })
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^content-type arrived with another value; first difference in line 4 of the canonical request/
    )
  })

  it("shows what OSS signed, without keys, and ends with 1", async () => {
    const env = { OSS_ACCESS_KEY_ID: undefined }
    const { code, stdout } = await cli.run(["explain", "-"], { input: await refusal(), env })
    expect(code).toBe(1)
    expect(stdout).toContain("No secret for AccessKeyId emulator is at hand")
    expect(stdout).toContain("\n  header              content-type:image/png\n")
  })

  it("says what a text is about that is no such refusal", async () => {
    const other = await cli.run(["explain", "-"], {
      input: "<Error><Code>NoSuchBucket</Code><Message>No.</Message></Error>"
    })
    expect(other).toMatchObject({
      code: 1,
      stderr: "error: the text is about NoSuchBucket, not SignatureDoesNotMatch: No.\n"
    })
    const nothing = await cli.run(["explain", "-"], { input: "hello" })
    expect(nothing).toMatchObject({ code: 1, stderr: "error: the text holds no <Error> document\n" })
  })
})

describe("the usual mistakes", () => {
  const secret = "s3cret"
  const signer = Signature.make(NodeCrypto.crypto)
  const terms = {
    credentials: { accessKeyId: "id", accessKeySecret: Redacted.make(secret) },
    region: "cn-hangzhou",
    time: Date.UTC(2026, 0, 31, 12)
  }
  const request = {
    method: "PUT",
    bucket: "examplebucket",
    key: "a b/c.txt",
    query: { uploadId: "1 2", partNumber: "3", append: "" },
    headers: { "content-type": "text/plain", "x-oss-meta-a": "b" }
  } as const
  const right = Either.getOrThrow(Signature.signHeaders(signer, request, terms))

  /** What OSS would say to a client that signed this instead. */
  const refused = (canonicalRequest: string): Mistakes.Refused => {
    const hash = createHash("sha256").update(canonicalRequest).digest("hex")
    const wrong = [...right.stringToSign.split("\n").slice(0, 3), hash].join("\n")
    // A signature of any string to sign is that of a refusal whose own text it is.
    const provided = signatureOf(wrong)
    return { stringToSign: right.stringToSign, canonicalRequest: right.canonicalRequest, provided }
  }
  const signatureOf = (stringToSign: string): string => {
    const bytes = ["20260131", "cn-hangzhou", "oss", "aliyun_v4_request"].reduce<Uint8Array>(
      (key, part) => NodeCrypto.crypto.hmacSha256(key, part),
      Buffer.from(`aliyun_v4${secret}`)
    )
    return NodeCrypto.crypto.hmacSha256Hex(bytes, stringToSign)
  }

  it.each([
    ["the path was signed without the bucket", (text: string) => text.replace("/examplebucket/", "/")],
    ["the path was signed without being percent-encoded", (text: string) => text.replace("/a%20b/", "/a b/")],
    ["blanks were signed as +", (text: string) => text.replace("/a%20b/", "/a+b/")],
    ["slashes in the key were encoded as %2F", (text: string) => text.replace("b/c", "b%2Fc")],
    ["parameters without a value were signed with a =", (text: string) => text.replace("append&", "append=&")],
    ["x-oss-meta-a was sent, but not signed", (text: string) => text.replace("x-oss-meta-a:b\n", "")],
    ["the method was signed in small letters", (text: string) => text.replace("PUT", "put")],
    ["the empty line behind the headers was left out", (text: string) => text.replace("\n\n", "\n")],
    [
      "content-type: application/json was signed, but content-type:text/plain arrived",
      (text: string) => text.replace("text/plain", "application/json")
    ]
  ])("%s", (name, mistake) => {
    const text = mistake(right.canonicalRequest)
    expect(text).not.toBe(right.canonicalRequest)
    expect(Mistakes.diagnose(refused(text), secret)).toEqual({ _tag: "Mistake", name })
  })

  it("a line feed stood behind the secret", () => {
    const sloppy = { ...terms, credentials: { accessKeyId: "id", accessKeySecret: Redacted.make(`${secret}\n`) } }
    const { signature } = Either.getOrThrow(Signature.signHeaders(Signature.make(NodeCrypto.crypto), request, sloppy))
    expect(Mistakes.diagnose({ ...right, provided: signature }, secret)).toEqual({
      _tag: "Mistake",
      name: "a line feed stood behind the secret"
    })
  })

  it("none of them", () => {
    expect(Mistakes.diagnose({ ...right, provided: "0".repeat(64) }, secret)).toMatchObject({ _tag: "Unknown" })
    expect(Mistakes.diagnose({ ...right, provided: right.signature }, secret)).toEqual({ _tag: "OtherSecret" })
  })

  it("of version 1 are found as well", () => {
    const stringToSign = "PUT\n\nimage/png\nSat, 31 Jan 2026 12:00:00 GMT\nx-oss-meta-a:b\n/examplebucket/a b.txt"
    const provided = "unknown"
    const wrong = stringToSign.replace("x-oss-meta-a:b\n", "")
    const signed = {
      stringToSign,
      canonicalRequest: undefined,
      provided: createHmac("sha1", secret).update(wrong).digest("base64")
    }
    expect(Mistakes.diagnose(signed, secret)).toEqual({
      _tag: "Mistake",
      name: "x-oss-meta-a was sent, but not signed"
    })
    expect(Mistakes.diagnose({ ...signed, provided }, secret)).toMatchObject({ _tag: "Unknown" })
  })

  it("the text of a refusal that was changed on its way is seen", () => {
    expect(Mistakes.isIntact({ ...right, provided: "" })).toBe(true)
    expect(Mistakes.isIntact({ ...right, canonicalRequest: `${right.canonicalRequest} `, provided: "" })).toBe(false)
  })
})
