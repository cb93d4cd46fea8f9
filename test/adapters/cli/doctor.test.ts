import * as Effect from "effect/Effect"
import { createServer, type RequestListener, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, describe, expect, it } from "vitest"
import * as Cli from "./Cli.ts"

const cli = Cli.install({
  buckets: ["closed"],
  cors: [
    {
      allowedOrigins: ["https://app.example.com"],
      allowedMethods: ["POST", "PUT"],
      allowedHeaders: ["*"],
      exposeHeaders: ["ETag", "x-oss-request-id"]
    }
  ]
})

const servers: Array<Server> = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** An application server for one test. */
const application = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/oss`
}

const json = (status: number, body = "{}"): RequestListener => {
  return (_, response) => response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body)
}

interface Report {
  readonly healthy: boolean
  readonly checks: ReadonlyArray<{ readonly name: string; readonly status: string; readonly detail: string }>
}

/** The doctor's findings by name: status and detail. */
const examine = async (args: ReadonlyArray<string> = [], settings?: Cli.Settings) => {
  const { code, value } = await cli.json(["doctor", "oss://examplebucket", ...args], settings)
  const { checks, healthy } = value as Report
  return {
    code,
    healthy,
    found: Object.fromEntries(checks.map(({ detail, name, status }) => [name, `${status} ${detail}`]))
  }
}

describe("doctor", () => {
  it("finds nothing wrong where nothing is, and says where everything came from", async () => {
    const { code, stderr, stdout } = await cli.run(["doctor", "oss://examplebucket"])
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout
      .replaceAll(cli.emulator.endpoint, "URL")
      .replace(/\d+ ms/, "N ms")
      .trim()
      .split("\n")
    expect(lines).toEqual([
      "ok    region           cn-hangzhou from OSS_REGION",
      "ok    endpoint         URL from OSS_ENDPOINT",
      "ok    keys             emulator… from OSS_ACCESS_KEY_ID",
      "ok    network          URL answers in N ms",
      expect.stringMatching(/^ok {4}clock {12}within \d+ s of OSS's$/),
      "ok    signature        taken for oss://examplebucket",
      "ok    uploads          0 pending, none older than 7 days"
    ])
  })

  it("tells a wrong secret, a wrong ID and a bucket that is not there apart", async () => {
    const secret = await examine([], { env: { OSS_ACCESS_KEY_SECRET: "wrong" } })
    expect(secret).toMatchObject({ code: 1, healthy: false })
    expect(secret.found["signature"]).toMatch(/^fail the secret is not that of the AccessKeyId/)
    const id = await examine([], { env: { OSS_ACCESS_KEY_ID: "nobody" } })
    expect(id.found["signature"]).toMatch(/^fail OSS does not know this AccessKeyId/)
    const { stdout } = await cli.run(["doctor", "oss://nowhere"])
    expect(stdout).toMatch(/^FAIL {2}signature {8}there is no such bucket in this region/m)
  })

  it("goes on with what can be looked at when region and keys are missing", async () => {
    const env = { OSS_REGION: undefined, OSS_ACCESS_KEY_ID: undefined, OSS_ACCESS_KEY_SECRET: undefined }
    const url = await application(json(403))
    const { code, found } = await examine(["--callback-url", url], { env })
    expect(code).toBe(1)
    expect(Object.keys(found)).toEqual([
      "region",
      "endpoint",
      "keys",
      "callback address",
      "callback answer",
      "callback guard"
    ])
    expect(found["region"]).toMatch(/^fail none: give --region/)
  })

  it("finds an endpoint of another region, and an endpoint's label in place of a region", async () => {
    const other = await examine(["--region", "cn-beijing", "--endpoint", "oss-cn-hangzhou.aliyuncs.com.invalid"])
    expect(other.found["network"]).toMatch(/^fail .* cannot be reached/)
    const env = { OSS_REGION: "oss-cn-hangzhou" }
    const label = await examine([], { env })
    expect(label.found["region"]).toBe("fail oss-cn-hangzhou is an endpoint's label; the region is cn-hangzhou")
  })

  it("finds a clock that is off", async () => {
    Effect.runSync(cli.emulator.clock.shift(-20 * 60_000))
    const { code, found } = await examine()
    Effect.runSync(cli.emulator.clock.set(undefined))
    expect(code).toBe(1)
    expect(found["clock"]).toMatch(/^fail 1\d\d\d s ahead of OSS's; OSS refuses more than 15 minutes/)
    expect(found["signature"]).toMatch(/^ok/)
  })
})

describe("doctor, of a callback URL", () => {
  it("is content with one that answers as OSS wants, and refuses what OSS did not sign", async () => {
    const { code, found } = await examine(["--callback-url", await application(json(403))])
    expect(code).toBe(0)
    expect(found["callback address"]).toMatch(/^warn 127\.0\.0\.1 is not of the public internet/)
    expect(found["callback answer"]).toMatch(/^ok JSON with a Content-Length, in \d+ ms$/)
    expect(found["callback guard"]).toBe("ok it refuses what OSS did not sign (403)")
  })

  it("warns of one that takes what nobody signed", async () => {
    const { code, found } = await examine(["--callback-url", await application(json(200))])
    expect(code).toBe(0)
    expect(found["callback guard"]).toMatch(/^warn it took a request that nobody signed/)
  })

  it("finds answers that OSS would not take", async () => {
    const chunked = await examine([
      "--callback-url",
      await application((_, response) => {
        response.write("no")
        response.end(" json")
      })
    ])
    expect(chunked.code).toBe(1)
    expect(chunked.found["callback answer"]).toBe(
      "fail OSS would not take it: it has no Content-Length; its body is not JSON"
    )
    const missing = await examine(["--callback-url", await application(json(404))])
    expect(missing.found["callback answer"]).toMatch(/its status is 404: is the path right\?$/)
    const nobody = await examine(["--callback-url", "http://127.0.0.1:1/oss"])
    expect(nobody.found["callback answer"]).toMatch(/^fail http:\/\/127\.0\.0\.1:1: /)
  })

  it("waits 5 seconds for it, as OSS does", async () => {
    const { found } = await examine(["--callback-url", await application(() => {})])
    expect(found["callback answer"]).toMatch(/^fail .* no answer within 5 s$/)
  })
})

describe("doctor, of an origin", () => {
  it("tells what pages of it may do, and what they cannot read", async () => {
    const { code, found } = await examine(["--origin", "https://app.example.com/page"])
    expect(code).toBe(0)
    expect(found["cors PUT"]).toBe(
      "warn allowed, but the rule does not expose x-oss-hash-crc64ecma: a page cannot verify what was stored"
    )
    const other = await examine(["--origin", "https://elsewhere.example.com"])
    expect(other.code).toBe(1)
    expect(other.found["cors POST"]).toBe("fail no rule of the bucket lets https://elsewhere.example.com POST")
  })

  it("must be a URL", async () => {
    const { code, stderr } = await cli.run(["doctor", "oss://examplebucket", "--origin", "app.example.com"])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'error: --origin must be an http or https URL, got "app.example.com"\n'
    })
  })
})
