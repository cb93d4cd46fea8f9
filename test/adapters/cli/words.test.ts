/** The pure pieces of the command line: sizes, times, files, names, quotes. */
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import * as CapturedRequest from "../../../adapters/cli/CapturedRequest.ts"
import { Usage } from "../../../adapters/cli/Command.ts"
import * as Connection from "../../../adapters/cli/Connection.ts"
import * as Curl from "../../../adapters/cli/Curl.ts"
import { distance, nearest } from "../../../adapters/cli/Nearest.ts"
import * as OssutilFile from "../../../adapters/cli/OssutilFile.ts"
import { inWords } from "../../../adapters/cli/ProgressLine.ts"
import * as Units from "../../../adapters/cli/Units.ts"
import { lineToResume } from "../../../adapters/cli/Uploading.ts"

const law = <A>(property: FastCheck.IPropertyWithHooks<A>): void => FastCheck.assert(property, { numRuns: 10_000 })

const text = FastCheck.string({ unit: "binary" })

describe("sizes and times", () => {
  it("a size has a unit of 1024 or 1000, or none", () => {
    const sizes = ["0", "8388608", "8MiB", "8m", "8 M", "8MB", "1.5KiB", "5GiB", "10b"].map((size) =>
      Units.bytes("--x", size)
    )
    expect(sizes).toEqual([0, 8388608, 8388608, 8388608, 8388608, 8_000_000, 1536, 5 * 1024 ** 3, 10])
  })

  it.each(["", "MiB", "-1", "1.0001B", "1e3", "8 parsecs", "99999999999999999999", "NaN"])("%j is no size", (size) => {
    expect(() => Units.bytes("--x", size)).toThrow(Usage)
  })

  it("a time needs a unit, and sums are fine", () => {
    const times = ["0s", "90s", "10m", "2h", "7d", "1w", "1h30m"].map((time) => Units.seconds("--x", time))
    expect(times).toEqual([0, 90, 600, 7200, 604_800, 604_800, 5400])
    for (const time of ["", "10", "m", "1.5h", "10 m", "-1s", "1h-"])
      expect(() => Units.seconds("--x", time)).toThrow(Usage)
  })

  it("a pair keeps every = but the first, and no name comes twice", () => {
    expect(Units.pairs("--x", ["a=1", "b=", "c=d=e"])).toEqual({ a: "1", b: "", c: "d=e" })
    expect(() => Units.pairs("--x", ["a=1", "a=2"])).toThrow("--x gives a twice")
    for (const pair of ["a", "=a", ""]) expect(() => Units.pair("--x", pair)).toThrow(Usage)
  })

  it("the name __proto__ is a name like any other", () => {
    expect(Object.entries(Units.pairs("--x", ["__proto__=1"]))).toEqual([["__proto__", "1"]])
  })

  it("a key is taken as it stands, whatever it holds", () => {
    law(
      FastCheck.property(text, (key) => {
        const url = Units.ossUrl(`oss://bucket/${key}`)
        return url.bucket === "bucket" && url.key === key
      })
    )
  })

  it("progress is told in whole percent, rounded down", () => {
    expect(inWords({ sent: 999, total: 1000 })).toBe("999 B of 1000 B (99 %)")
    expect(inWords({ sent: 0, total: 0 })).toBe("0 B of 0 B (100 %)")
    expect(inWords({ sent: 2048, total: undefined })).toBe("2.0 KiB")
  })
})

describe("the nearest name", () => {
  it("is at the distance of one for a letter too many, too few, another, or two swapped", () => {
    expect(["regionn", "regon", "rexion", "reigon"].map((name) => distance(name, "region"))).toEqual([1, 1, 1, 1])
  })

  it("the distance is 0 for the same, is the same both ways, and at most the longer length", () => {
    const word = FastCheck.string({ maxLength: 8 })
    law(
      FastCheck.property(word, word, (a, b) => {
        const far = distance(a, b)
        return (far === 0) === (a === b) && far === distance(b, a) && far <= Math.max(a.length, b.length)
      })
    )
  })

  it("is none when nothing is like it", () => {
    expect(nearest("xyz", ["region", "endpoint"])).toBeUndefined()
    expect(nearest("e", ["region"])).toBeUndefined()
    expect(nearest("end", ["region", "endpoint"])).toBe("endpoint")
  })
})

describe("the shell", () => {
  it("reads every quoted argument as it was", () => {
    const awkward = ["", "a b", "it's", '"', "$HOME", "`x`", "a\nb", "\\", "!x", "*", "oss://b/ü", "-x", "~"]
    const { stdout } = { stdout: execFileSync("sh", ["-c", `printf '%s\\0' ${awkward.map(Curl.quote).join(" ")}`]) }
    expect(stdout.toString().split("\0").slice(0, -1)).toEqual(awkward)
  })

  it("gets a line to resume without the secrets, however they were given", () => {
    const args = [
      "a b.bin",
      "oss://b/k",
      "--access-key-secret",
      "s3cret",
      "--security-token=t0ken",
      "--part-size",
      "1MiB"
    ]
    expect(lineToResume(args)).toBe("effect-oss resume 'a b.bin' oss://b/k --part-size 1MiB")
  })
})

describe("ossutil's file", () => {
  it("of version 1 and of version 2, with names in every spelling", () => {
    const first =
      "[Credentials]\r\nlanguage=EN\r\nendpoint = oss-cn-beijing.aliyuncs.com\r\naccessKeyID=id\r\naccessKeySecret=a=b\r\n"
    expect(OssutilFile.parse(first)).toEqual({
      endpoint: "oss-cn-beijing.aliyuncs.com",
      accessKeyId: "id",
      accessKeySecret: "a=b"
    })
    const second =
      "# mine\n[default]\nregion=cn-beijing\n[Profile  Other]\naccess-key-id=x\naccess_key_secret=y\nsts-token=z\n"
    expect(OssutilFile.parse(second)).toEqual({ region: "cn-beijing" })
    expect(OssutilFile.parse(second, "other")).toEqual({ accessKeyId: "x", accessKeySecret: "y", securityToken: "z" })
    expect(OssutilFile.parse(second, "none")).toBeUndefined()
  })

  it("never makes reading fail", () => {
    law(
      FastCheck.property(text, (content) => {
        const profile = OssutilFile.parse(`[default]\n${content}`)
        return profile !== undefined
      })
    )
  })
})

describe("where a connection's settings come from", () => {
  const names = Object.keys(Connection.options)
  const nothing: unknown = Object.fromEntries(names.map((name) => [name, undefined]))
  const none = nothing as Parameters<typeof Connection.find>[0] // all of them are texts
  const folder = mkdtempSync(join(tmpdir(), "effect-oss-file-"))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = join(folder, "config")
  writeFileSync(
    file,
    "[default]\nendpoint=oss-cn-beijing.aliyuncs.com\naccessKeyId=file\naccessKeySecret=f\nstsToken=t\n"
  )
  const environment = { OSSUTIL_CONFIG_FILE: file }
  const keysOf = ({ credentials }: Connection.Connection) => {
    const token = credentials?.value.securityToken
    return [credentials?.value.accessKeyId, token === undefined ? undefined : Redacted.value(token)]
  }

  it("options come before the environment, and that before the file", () => {
    const region = { OSS_REGION: "cn-shanghai" }
    expect(Connection.find(none, environment).region?.value).toBe("cn-beijing")
    expect(Connection.find(none, { ...environment, ...region }).region).toEqual({
      value: "cn-shanghai",
      from: "OSS_REGION"
    })
    expect(Connection.find({ ...none, region: "cn-x" }, { ...environment, ...region }).region?.from).toBe("--region")
  })

  it("the token of one account never meets the keys of another", () => {
    const keys = { OSS_ACCESS_KEY_ID: "env", OSS_ACCESS_KEY_SECRET: "e" }
    expect(keysOf(Connection.find(none, environment))).toEqual(["file", "t"])
    expect(keysOf(Connection.find(none, { ...environment, ...keys }))).toEqual(["env", undefined])
    const withToken = { ...environment, ...keys, OSS_SESSION_TOKEN: "et" }
    expect(keysOf(Connection.find(none, withToken))).toEqual(["env", "et"])
    expect(keysOf(Connection.find({ ...none, "access-key-id": "opt" }, withToken))).toEqual(["opt", undefined])
  })

  it("another network than the file's address is asked for by its name", () => {
    expect(Connection.find({ ...none, network: "internal" }, environment).endpoint).toBeUndefined()
  })

  it("a file or a profile that was named must be there", () => {
    expect(() => Connection.find({ ...none, "config-file": "/nowhere" }, {})).toThrow("/nowhere: cannot be read")
    expect(() => Connection.find({ ...none, profile: "x" }, environment)).toThrow("has no section [profile x]")
  })

  it("a region stands in the names of OSS's own addresses only", () => {
    const regions = [
      "oss-cn-hangzhou.aliyuncs.com",
      "https://oss-cn-hangzhou-internal.aliyuncs.com/",
      "b.oss-ap-southeast-1.aliyuncs.com"
    ]
    expect(regions.map(Connection.regionOf)).toEqual(["cn-hangzhou", "cn-hangzhou", "ap-southeast-1"])
    const others = [
      "oss-accelerate.aliyuncs.com",
      "img.example.com",
      "http://127.0.0.1:9000",
      "oss-cn-x.aliyuncs.com.evil.com"
    ]
    expect(others.map(Connection.regionOf)).toEqual([undefined, undefined, undefined, undefined])
  })
})

describe("a captured request", () => {
  const parse = (raw: string) => CapturedRequest.parse(Buffer.from(raw))

  it("keeps path, query and body byte by byte, and headers by their names in small letters", () => {
    const raw = "POST /a%20b?x=1&y HTTP/1.1\r\nContent-Length: 4\r\nX-A:  b \r\n\r\nü:\n\n"
    expect(Either.getOrThrow(parse(raw))).toEqual({
      method: "POST",
      path: "/a%20b",
      query: "x=1&y",
      headers: { "content-length": "4", "x-a": "b" },
      body: Buffer.from("ü:\n")
    })
  })

  it("may have lines that end in LF, and no length", () => {
    expect(Either.getOrThrow(parse("POST http://h/p\nA: b\n\nbody\n"))).toMatchObject({
      path: "/p",
      query: undefined,
      body: Buffer.from("body\n")
    })
  })

  it("says what is wrong with one that is none", () => {
    expect(parse("hello")).toMatchObject({ left: expect.stringContaining("no request line") })
    expect(parse("POST /\nhello\n\n")).toMatchObject({ left: '"hello" is no header, such as "Host: example.com"' })
    expect(parse("POST /\nContent-Length: 9\n\nx")).toMatchObject({
      left: "the body has 1 bytes, and Content-Length says 9"
    })
  })

  it("is read whatever its bytes are, without throwing", () => {
    law(
      FastCheck.property(
        FastCheck.uint8Array({ maxLength: 200 }),
        (bytes) => CapturedRequest.parse(bytes) !== undefined
      )
    )
  })
})
