import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as ObjectKey from "../../../core/model/ObjectKey.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import type { Response } from "../../../core/ports/Transport.ts"
import * as ListObjects from "../../../core/wire/ListObjects.ts"
import * as MultipartOperation from "../../../core/wire/MultipartOperation.ts"
import * as Operation from "../../../core/wire/Operation.ts"

const key = Either.getOrThrow(ObjectKey.make("a/b.txt"))

const answer = (status: number, body = "", headers: Record<string, string> = {}): Response => ({
  status,
  headers: { "x-oss-request-id": "65A1", ...headers },
  body: Utf8.encode(body)
})

const failure = <A>(operation: Operation.Operation<A>, response: Response): string =>
  Either.match(operation.decode(response), { onLeft: (error) => error.message, onRight: () => "" })

describe("HeadObject and GetObject", () => {
  const headers = {
    "content-length": "9",
    etag: `"E"`,
    "x-oss-hash-crc64ecma": "11051210869376104954",
    "content-type": "text/plain",
    "last-modified": "Tue, 15 Jul 2025 09:30:45 GMT",
    "x-oss-object-type": "Normal",
    "x-oss-storage-class": "Standard",
    "x-oss-meta-user": "42"
  }

  it("tell everything about an object", () => {
    const info = Either.getOrThrow(Operation.headObject(key).decode(answer(200, "", headers)))
    assert.strictEqual(info.size, 9)
    assert.strictEqual(info.etag, "E")
    assert.strictEqual(info.crc64, 11051210869376104954n)
    assert.deepEqual(info.metadata, { user: "42" })
  })

  it("know the whole object's size from a part of it", () => {
    const part = answer(206, "123", { ...headers, "content-length": "3", "content-range": "bytes 0-2/9" })
    const content = Either.getOrThrow(Operation.getObject(key, 100, { offset: 0, length: 3 }).decode(part))
    assert.strictEqual(content.size, 9)
    assert.deepStrictEqual(content.bytes, Utf8.encode("123"))
  })

  it("ask for a range strictly: 416, rather than the whole object, when it is impossible", () => {
    const { headers } = Operation.getObject(key, 100, { offset: 5, length: 10 })
    assert.deepEqual(headers, { range: "bytes=5-14", "x-oss-range-behavior": "standard" })
  })

  it("do not take a success without a size", () => {
    for (const length of [undefined, "", " ", "-1", "1e3", "0x10", "1.5", "9007199254740993"]) {
      const headers = length === undefined ? {} : { "content-length": length }
      const why = failure(Operation.headObject(key), answer(200, "", headers))
      assert.match(why, /HeadObject: answered 200, but it has no size/, length)
    }
  })
})

describe("the operations of a multipart upload", () => {
  it("read the upload ID", () => {
    const xml =
      "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>0004B9</UploadId></InitiateMultipartUploadResult>"
    const initiate = MultipartOperation.initiateMultipartUpload(key, {})
    assert.strictEqual(Either.getOrThrow(initiate.decode(answer(200, xml))), "0004B9")
    assert.match(failure(initiate, answer(200, "<InitiateMultipartUploadResult/>")), /its XML does not fit/)
    assert.match(failure(initiate, answer(200, "<html/>")), /its root element is not InitiateMultipartUploadResult/)
  })

  it("say in one line where an answer does not fit", () => {
    const list = MultipartOperation.listParts(key, "id")
    const page = (part: string) =>
      answer(200, `<ListPartsResult><IsTruncated>false</IsTruncated><Part>${part}</Part></ListPartsResult>`)
    const read = (number: string) => list.decode(page(`<PartNumber>${number}</PartNumber><ETag>e</ETag><Size>1</Size>`))
    assert.isTrue(Either.isRight(read("9007199254740991")))
    const fault = (number: string) =>
      Either.match(read(number), { onLeft: ({ message }) => message, onRight: () => "" })
    const said = ["0x10", "1e3", " 5 ", "-1", "", "9007199254740992"].map(fault)
    const form = /^ListParts: answered 200, but its XML does not fit: Part\.0\.PartNumber: expected .+ \(request .+\)$/
    assert.deepEqual(
      said.filter((message) => !form.test(message)),
      []
    )
  })

  it("take no list that does not say whether it ends", () => {
    const list = MultipartOperation.listParts(key, "id")
    for (const more of ["", "<IsTruncated>TRUE</IsTruncated>", "<IsTruncated><a/></IsTruncated>"]) {
      const xml = `<ListPartsResult>${more}</ListPartsResult>`
      assert.match(failure(list, answer(200, xml)), /its XML does not fit: IsTruncated: /)
    }
  })

  it("name the part in a refusal", () => {
    const upload = MultipartOperation.uploadPart(key, "id", 3, {}, { _tag: "Empty" })
    assert.match(failure(upload, answer(404)), /^UploadPart 3: 404/)
    assert.match(failure(upload, answer(200)), /^UploadPart 3: answered 200, but it has no ETag/)
  })

  it("copy a part from an object as it was, named by its encoded key", () => {
    const source = {
      bucket: "media",
      key: Either.getOrThrow(ObjectKey.make("a b/ü+")),
      etag: "E",
      offset: 5,
      length: 10
    }
    const copy = MultipartOperation.uploadPartCopy(key, "id", 3, source)
    assert.deepEqual(copy.headers, {
      "x-oss-copy-source": "/media/a%20b/%C3%BC%2B",
      "x-oss-copy-source-range": "bytes=5-14",
      "x-oss-copy-source-if-match": '"E"'
    })
    assert.deepEqual(copy.query, { partNumber: "3", uploadId: "id" })
    const xml = '<CopyPartResult><LastModified>x</LastModified><ETag>"F"</ETag></CopyPartResult>'
    assert.deepEqual(Either.getOrThrow(copy.decode(answer(200, xml))), { number: 3, etag: "F", crc64: undefined })
    assert.match(failure(copy, answer(412)), /^UploadPartCopy 3: 412 PreconditionFailed/)
    assert.match(failure(copy, answer(200, "<Error><Code>InternalError</Code></Error>")), /not CopyPartResult/)
  })

  it("list no part, one part, many parts", () => {
    const list = MultipartOperation.listParts(key, "id")
    const page = (parts: string, more = "<IsTruncated>false</IsTruncated>") =>
      Either.getOrThrow(list.decode(answer(200, `<ListPartsResult>${more}${parts}</ListPartsResult>`)))
    const part = (number: number) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>&quot;E${number}&quot;</ETag><HashCrc64ecma>18446744073709551615</HashCrc64ecma><Size>102400</Size></Part>`
    assert.deepEqual(page("").parts, [])
    assert.deepEqual(page(part(1)).parts, [{ number: 1, etag: "E1", size: 102400, crc64: 18446744073709551615n }])
    assert.deepEqual(
      page(part(1) + part(7)).parts.map(({ number }) => number),
      [1, 7]
    )
    const truncated = page(part(7), "<IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker>")
    assert.strictEqual(Option.getOrNull(truncated.next), "7")
    assert.isTrue(Option.isNone(page("", "<IsTruncated>true</IsTruncated>").next))
  })

  it("take no page for the next that is the same again, which would be asked for ever", () => {
    const more = (marker: string) => `<IsTruncated>true</IsTruncated>${marker}`
    const parts = (from: string, to: string) => {
      const xml = `<ListPartsResult>${more(`<NextPartNumberMarker>${to}</NextPartNumberMarker>`)}</ListPartsResult>`
      return Option.isSome(
        Either.getOrThrow(MultipartOperation.listParts(key, "id", from).decode(answer(200, xml))).next
      )
    }
    assert.deepEqual(
      [parts("0", "9"), parts("9", "10"), parts("9", "9"), parts("9", "8"), parts("9", "x")],
      [true, true, false, false, false]
    )
    const uploads = (next: string) => {
      const xml = `<ListMultipartUploadsResult>${more(next)}</ListMultipartUploadsResult>`
      const list = MultipartOperation.listMultipartUploads("", { key: "a", uploadId: "1" })
      return Option.isSome(Either.getOrThrow(list.decode(answer(200, xml))).next)
    }
    const marker = (key: string, id: string) =>
      `<NextKeyMarker>${key}</NextKeyMarker><NextUploadIdMarker>${id}</NextUploadIdMarker>`
    assert.deepEqual(
      [uploads(marker("a", "2")), uploads(marker("b", "1")), uploads(marker("a", "1")), uploads("")],
      [true, true, false, false]
    )
  })

  it("escape ETags in the list that completes", () => {
    const complete = MultipartOperation.completeMultipartUpload(key, "id", [{ number: 1, etag: `A<&"` }], {})
    assert.strictEqual(
      complete.body._tag === "Bytes" ? new TextDecoder().decode(complete.body.bytes) : "",
      `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"A&#60;&#38;&#34;"</ETag></Part></CompleteMultipartUpload>`
    )
    assert.isFalse(complete.repeatable)
  })

  it("write a long list that completes while it is sent, as often as it is asked for", async () => {
    const parts = Array.from({ length: 10_000 }, (_, i) => ({ number: i + 1, etag: `${i}`.padStart(32, "0") }))
    const { body } = MultipartOperation.completeMultipartUpload(key, "id", parts, {})
    assert(body._tag === "Chunks")
    const text = async () => {
      const decoder = new TextDecoder()
      let text = ""
      for await (const chunk of body.chunks()) {
        assert.isAtMost(chunk.length, 32 * 1024)
        text += decoder.decode(chunk, { stream: true })
      }
      return text
    }
    const lines = parts.map(
      ({ etag, number }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${etag}"</ETag></Part>`
    )
    const whole = `<CompleteMultipartUpload>${lines.join("")}</CompleteMultipartUpload>`
    assert.strictEqual(await text(), whole)
    assert.strictEqual(await text(), whole)
    assert.strictEqual(body.size, whole.length)
  })

  it("list pending uploads, whatever their keys hold", () => {
    const xml = `<ListMultipartUploadsResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com"><EncodingType>url</EncodingType><Bucket>b</Bucket><NextKeyMarker>a%0Ab</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker><IsTruncated>true</IsTruncated><Upload><Key>a%0Ab</Key><UploadId>2</UploadId><Initiated>2025-07-15T09:30:45.000Z</Initiated></Upload></ListMultipartUploadsResult>`
    const page = Either.getOrThrow(MultipartOperation.listMultipartUploads("a").decode(answer(200, xml)))
    assert.deepEqual(page.uploads, [{ key: "a\nb", uploadId: "2", initiated: Date.UTC(2025, 6, 15, 9, 30, 45) }])
    assert.deepEqual(Option.getOrNull(page.next), { key: "a\nb", uploadId: "2" })
    const undated = xml.replace("2025-07-15T09:30:45.000Z", "yesterday")
    assert.match(
      failure(MultipartOperation.listMultipartUploads("a"), answer(200, undated)),
      /its XML does not fit: Upload\.0\.Initiated: expected/
    )
  })
})

describe("every operation that answers in XML", () => {
  const part =
    "<Part><PartNumber>1</PartNumber><ETag>&quot;E&quot;</ETag><Size>102400</Size><HashCrc64ecma>7</HashCrc64ecma></Part>"
  const upload =
    "<Upload><Key>a%2Fb</Key><UploadId>U</UploadId><Initiated>2025-07-15T09:30:45.000Z</Initiated></Upload>"
  const object =
    "<Contents><Key>a%20b</Key><LastModified>2025-07-15T09:30:45.000Z</LastModified><ETag>E</ETag><Size>9</Size></Contents>"
  const truncated = "<IsTruncated>true</IsTruncated>"
  const source = { bucket: "media", key, etag: "E", offset: 0, length: 1 }
  const answers: ReadonlyArray<readonly [Operation.Operation<unknown>, string]> = [
    [
      MultipartOperation.initiateMultipartUpload(key, {}),
      "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>"
    ],
    [
      MultipartOperation.listParts(key, "U"),
      `<ListPartsResult>${truncated}<NextPartNumberMarker>1</NextPartNumberMarker>${part}${part}</ListPartsResult>`
    ],
    [
      MultipartOperation.listMultipartUploads(""),
      `<ListMultipartUploadsResult>${truncated}<NextKeyMarker>a</NextKeyMarker>${upload}</ListMultipartUploadsResult>`
    ],
    [MultipartOperation.uploadPartCopy(key, "U", 1, source), "<CopyPartResult><ETag>E</ETag></CopyPartResult>"],
    [ListObjects.listObjects(""), `<ListBucketResult>${truncated}${object}${object}</ListBucketResult>`]
  ]

  it("reads these answers", () => {
    assert.deepEqual(
      answers.map(([operation, xml]) => failure(operation, answer(200, xml))),
      answers.map(() => "")
    )
  })

  it("ends 10,000 mutations of an answer in a value, or an error in one line", () => {
    const put = fc.oneof(
      fc.constantFrom(
        "<",
        "</",
        "/>",
        "&",
        "%",
        "%zz",
        "-",
        "0x",
        "9".repeat(20),
        "<a>",
        "<Part/>",
        "<Key>",
        "\r",
        "\0"
      ),
      fc.string({ unit: "binary", maxLength: 2 })
    )
    const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(12), put)
    fc.assert(
      fc.property(
        fc.constantFrom(...answers),
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        ([operation, xml], edits) => {
          const mutated = edits.reduce((text, [at, cut, put]) => {
            const from = Math.floor(at * text.length)
            return text.slice(0, from) + put + text.slice(from + cut)
          }, xml)
          const { length } = failure(operation, answer(200, mutated)).split("\n")
          return length === 1
        }
      ),
      { numRuns: 10_000 }
    )
  }, 120_000)
})
