/**
 * Whatever a client sends, the emulator refuses it as OSS would, and never breaks: no 5xx, no hanging, no unreadable answer.
 *
 * 3,000 requests, or as many as EMULATOR_FUZZ says. They are made of the pieces that real requests are made of, put together
 * wrongly, so that most of them get past the first check. The bucket is open to all, because a signature would stop them.
 */
import { parseXml } from "@rgrove/parse-xml"
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import { Transport } from "../../../core/ports/Transport.ts"
import * as Client from "./Client.ts"

const runs = Number(process.env["EMULATOR_FUZZ"] ?? 3000)

const { constantFrom, oneof, record, array, tuple, string } = FastCheck

const text = string({ unit: "binary", maxLength: 12 })
const encoded = text.map((raw) => {
  try {
    return encodeURIComponent(raw)
  } catch {
    return "%ED%A0%80" // a lone surrogate
  }
})

const number = constantFrom("0", "1", "2", "10000", "10001", "-1", "1.5", "99999999999999999999", "x", "")
const base64 = oneof(
  constantFrom("", "e30=", "W10=", "bnVsbA==", "!!!!"),
  constantFrom(
    '{"callbackUrl":"http://127.0.0.1:1/x","callbackBody":"${object}"}',
    '{"callbackUrl":"a;b;c;d;e;f","callbackBody":"x"}',
    '{"callbackUrl":1,"callbackBody":{}}',
    '{"callbackUrl":"http://a","callbackBody":"${"}',
    '{"x:a":1}',
    '{"expiration":"2100-01-01T00:00:00Z","conditions":[["eq","$key","k"]]}'
  ).map((json) => Buffer.from(json).toString("base64"))
)

const queryNames = [
  "acl",
  "append",
  "position",
  "uploads",
  "uploadId",
  "partNumber",
  "delete",
  "cors",
  "location",
  "bucketInfo",
  "objectMeta",
  "policy",
  "comp",
  "list-type",
  "prefix",
  "delimiter",
  "marker",
  "max-keys",
  "continuation-token",
  "start-after",
  "encoding-type",
  "max-parts",
  "part-number-marker",
  "max-uploads",
  "key-marker",
  "upload-id-marker",
  "callback",
  "callback-var",
  "sequential",
  "response-content-type",
  "x-oss-signature-version",
  "x-oss-credential",
  "x-oss-date",
  "x-oss-expires",
  "x-oss-signature",
  "x-oss-additional-headers",
  "OSSAccessKeyId",
  "Expires",
  "Signature",
  "security-token",
  "restore",
  "__proto__",
  "constructor"
]

const values = oneof(
  encoded,
  number,
  base64.map(encodeURIComponent),
  constantFrom(
    "url",
    "2",
    "OSS4-HMAC-SHA256",
    "19700101T000000Z",
    "%",
    "%zz",
    "a=b=c",
    "emulator/19700101/cn-hangzhou/oss/aliyun_v4_request"
  )
)

const query = array(tuple(constantFrom(...queryNames), values), { maxLength: 4 }).map((pairs) =>
  pairs.map(([name, value]) => (value === "" ? name : `${name}=${value}`)).join("&")
)

const path = oneof(
  constantFrom(
    "/",
    "//",
    "/open-bucket",
    "/open-bucket/",
    "/open-bucket/k",
    "/open-bucket/multi",
    "/nobucket/k",
    "/A_b/k",
    "/open-bucket//k"
  ),
  encoded.map((key) => `/open-bucket/${key}`),
  constantFrom(
    "/open-bucket/%",
    "/open-bucket/%FF",
    "/open-bucket/..%2F..%2F..%2Fetc%2Fpasswd",
    `/open-bucket/${"k".repeat(1024)}`
  )
)

const headerNames = [
  "authorization",
  "date",
  "x-oss-date",
  "x-oss-security-token",
  "x-oss-content-sha256",
  "content-type",
  "content-md5",
  "range",
  "x-oss-range-behavior",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "x-oss-object-acl",
  "x-oss-acl",
  "x-oss-storage-class",
  "x-oss-server-side-encryption",
  "x-oss-tagging",
  "x-oss-meta-a",
  "x-oss-meta-",
  "x-oss-forbid-overwrite",
  "x-oss-callback",
  "x-oss-callback-var",
  "x-oss-hash-crc64ecma",
  "x-oss-complete-all",
  "x-oss-copy-source",
  "x-oss-copy-source-range",
  "x-oss-metadata-directive",
  "x-oss-tagging-directive",
  "origin",
  "access-control-request-method",
  "access-control-request-headers",
  "expect",
  "host",
  "__proto__"
]

const headerValues = oneof(
  text,
  number,
  base64,
  constantFrom(
    "OSS4-HMAC-SHA256 Credential=emulator/19700101/cn-hangzhou/oss/aliyun_v4_request,Signature=0",
    "OSS4-HMAC-SHA256 ,,,==",
    "OSS a:b",
    "OSS",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "19700101T000000Z",
    "bytes=0-1",
    "bytes=-",
    "yes",
    "true",
    "public-read",
    "Standard",
    "AES256",
    "a=1&b=2",
    "=&=",
    "*",
    "/open-bucket/k",
    "open-bucket",
    "/open-bucket/%FF",
    "REPLACE",
    "multipart/form-data; boundary=B0undary",
    "multipart/form-data",
    "text/plain",
    "AAAAAAAAAAAAAAAAAAAAAA==",
    "https://a.example.com",
    "PUT"
  )
)

const xml = constantFrom(
  "<CompleteMultipartUpload/>",
  "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
  "<CompleteMultipartUpload><Part>1</Part><Part><PartNumber><a/></PartNumber><ETag/></Part></CompleteMultipartUpload>",
  "<Delete><Object><Key>k</Key></Object></Delete>",
  "<Delete><Object><Key/></Object></Delete>",
  "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
  "<CORSConfiguration><CORSRule>x</CORSRule></CORSConfiguration>",
  "<CreateBucketConfiguration><StorageClass><x/></StorageClass></CreateBucketConfiguration>",
  "<!DOCTYPE a [<!ENTITY b 'c'>]><Delete>&b;</Delete>",
  `${"<a>".repeat(100)}`,
  "<",
  "\uffff"
)

const formNames = [
  "key",
  "file",
  "policy",
  "callback",
  "x:a",
  "X:A",
  "success_action_status",
  "success_action_redirect",
  "OSSAccessKeyId",
  "Signature",
  "x-oss-signature-version",
  "x-oss-credential",
  "x-oss-date",
  "x-oss-signature",
  "x-oss-object-acl",
  "content-type",
  ""
]

const form = array(
  tuple(constantFrom(...formNames), oneof(text, base64, number, constantFrom("${filename}", "a${filename}b"))),
  { maxLength: 6 }
).map((fields) =>
  Client.formBody(fields.map(([name, value]) => ({ name, value, ...(name === "file" ? { filename: "f" } : {}) })))
)

const body = oneof(
  constantFrom(new Uint8Array()),
  text.map((raw) => new Uint8Array(Buffer.from(raw))),
  xml.map((raw) => new Uint8Array(Buffer.from(raw))),
  form,
  tuple(form, FastCheck.nat(200)).map(([bytes, cut]) => bytes.subarray(0, Math.max(0, bytes.length - cut)))
)

const request = record({
  method: constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND"),
  path,
  query,
  headers: array(tuple(constantFrom(...headerNames), headerValues), { maxLength: 4 }),
  form: FastCheck.boolean(),
  body
})

it(
  `refuses what is wrong, and never fails, over ${runs} requests`,
  async () => {
    const emulator = ManagedRuntime.make(
      OssEmulator.layerInProcess({ bucket: "open-bucket", acl: "public-read-write", callback: { timeout: 200 } })
    )
    const statuses = new Map<number, number>()
    const send = FastCheck.asyncProperty(request, async ({ method, path, query, headers, form, body }) => {
      const answer = await emulator.runPromise(
        Effect.flatMap(Transport, (transport) =>
          transport.send({
            method,
            url: `http://localhost${path}${query === "" ? "" : `?${query}`}`,
            headers: {
              ...Object.fromEntries(headers),
              ...(form ? { "content-type": "multipart/form-data; boundary=B0undary" } : {})
            },
            body: Client.toBody(body),
            timeout: Duration.seconds(10),
            maxResponseBytes: 1024 * 1024
          })
        )
      )
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      const isError = answer.status >= 400
      const document = isError ? Client.output(answer).xml("Code") : undefined
      if (isError && answer.body.length > 0) parseXml(new TextDecoder().decode(answer.body))
      return answer.status < 500 && (!isError || document !== undefined)
    })
    try {
      await emulator.runPromise(Client.put("k", "0123456789"))
      await FastCheck.assert(send, { numRuns: runs })
    } finally {
      await emulator.dispose()
    }
    // Most requests get somewhere: the point is not to have them all refused at the door.
    assert.includeMembers([...statuses.keys()], [200, 204, 400, 403, 404, 405])
  },
  30_000 + runs * 20
)
