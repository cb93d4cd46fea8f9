/** ListObjectsV2: what is asked, and what is made of the answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Utf8 from "../../../core/model/Utf8.ts"
import { listObjects } from "../../../core/wire/ListObjects.ts"
import * as Uri from "../../../core/wire/Uri.ts"

const page = (xml: string, after?: string) =>
  listObjects("", after).decode({ status: 200, headers: { "x-oss-request-id": "65A1" }, body: Utf8.encode(xml) })

const result = (truncated: boolean, ...contents: ReadonlyArray<string>) =>
  `<ListBucketResult><Name>b</Name><IsTruncated>${truncated}</IsTruncated>${contents.join("")}</ListBucketResult>`

const content = (key: string, modified = "2020-05-18T05:45:54.000Z") =>
  `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><ETag>"5B3C"</ETag><Type>Normal</Type><Size>344606</Size></Contents>`

describe("ListObjectsV2", () => {
  it("asks for pages of 1,000 with keys percent-encoded, behind a key", () => {
    const { key, method, query } = listObjects("a/", "a/b c")
    assert.deepEqual([method, key, query], [
      "GET",
      undefined,
      { "list-type": "2", "encoding-type": "url", "max-keys": "1000", prefix: "a/", "start-after": "a/b c" }
    ] as never)
  })

  // The shape: "ListObjectsV2", https://www.alibabacloud.com/help/en/oss/developer-reference/listobjectsv2
  it("tells key, size in bytes, ETag without quotes and time in milliseconds", () => {
    const read = Either.getOrThrow(page(result(false, content("fun%2Fmovie%20%E6%97%A5.avi"))))
    assert.deepEqual(read.objects, [
      { key: "fun/movie 日.avi", size: 344_606, etag: "5B3C", lastModified: 1_589_780_754_000, objectType: "Normal" }
    ])
    assert.isTrue(Option.isNone(read.next))
  })

  it("goes on behind the last key, and nowhere when a page leads nowhere", () => {
    const next = (xml: string, after?: string) => Option.getOrUndefined(Either.getOrThrow(page(xml, after)).next)
    assert.strictEqual(next(result(true, content("a"), content("b"))), "b")
    assert.strictEqual(next(result(true)), undefined)
    assert.strictEqual(next(result(true, content("b")), "b"), undefined)
  })

  it("refuses a time that is none, and anything that is no such page", () => {
    for (const xml of [result(false, content("a", "yesterday")), "<Error/>", "", result(false, "<Contents/>")]) {
      assert.isTrue(Either.isLeft(page(xml)))
    }
  })

  it("reads every key that was percent-encoded", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "grapheme", minLength: 1 }), (key) => {
        const { objects } = Either.getOrThrow(page(result(false, content(Uri.encode(key)))))
        return objects[0]?.key === key
      }),
      { numRuns: 10_000 }
    )
  })
})
