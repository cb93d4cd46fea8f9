/**
 * Where callbacks go: names and addresses, TLS, and receivers that need neither.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { TLSSocket } from "node:tls"
import type * as CallbackSender from "../../../../adapters/emulator/callback/CallbackSender.ts"
import * as Resolution from "../../../../adapters/emulator/callback/Resolution.ts"
import { crypto } from "../../../../adapters/node/NodeCrypto.ts"
import * as CallbackSignature from "../../../../core/wire/CallbackSignature.ts"
import * as Certificate from "../../../support/Certificate.ts"
import * as TestServer from "../../../support/TestServer.ts"
import { cannotConnect, deliver, failed, keys, ok, publicKeyUrl, sender, withServer } from "./Delivering.ts"

/** Answers with the name that the client told in TLS: `null` for none. */
const tellName: TestServer.Handler = (request, response, received) => {
  const { socket } = request
  const name = socket instanceof TLSSocket && typeof socket.servername === "string" ? socket.servername : null
  TestServer.answer(200, {}, JSON.stringify(name))(request, response, received)
}

/** What that server was told, or the failure. */
const told = (
  host: string,
  configuration: object,
  options: Partial<CallbackSender.Options> = { ca: Certificate.authority }
) =>
  withServer(
    tellName,
    (server) =>
      Effect.map(deliver({ callbackUrl: `https://${host}:${server.port}/`, ...configuration }, options), (outcome) =>
        outcome._tag === "Answered" ? Buffer.from(outcome.body).toString() : outcome
      ),
    { tls: true }
  )

/** Every name leads to the loopback. */
const elsewhere = { lookUp: () => Effect.succeed(["127.0.0.1"]) }
const noTls = failed("203", "Error status : 502.")

/** What a sender makes of an order for this URL. */
const order = (callbackUrl: string, options: Partial<CallbackSender.Options>) => {
  const callback = Buffer.from(JSON.stringify({ callbackUrl, callbackBody: "a" })).toString("base64")
  return Effect.runPromise(Effect.either(sender(options).order({ header: { callback } })))
}

/** EC, message and value. */
const refusal = async (callbackUrl: string, options: Partial<CallbackSender.Options>) => {
  const result = await order(callbackUrl, options)
  return Either.isLeft(result) ? [result.left.ec, result.left.message, result.left.argumentValue] : "not refused"
}

const utf8 = (text: string) => new Uint8Array(Buffer.from(text))

const answering =
  (status: number, body: Uint8Array): CallbackSender.Receiver =>
  () =>
    Effect.succeed({ status, headers: { "content-type": "application/json" }, body })

/** What becomes of a callback to a URL that this receiver answers. */
const outcome = (receiver: CallbackSender.Receiver) =>
  Effect.runPromise(
    deliver(
      { callbackUrl: "https://app.example.com/%2Fcb?a=%2F" },
      { receiver: ({ hostname }) => (hostname === "app.example.com" ? receiver : undefined) }
    )
  )

describe("https", () => {
  it("tells no name, unless callbackSNI asks for it", async () => {
    expect(await told("localhost", {})).toBe("null")
    expect(await told("localhost", { callbackSNI: true })).toBe('"localhost"')
  })

  it("has no name to tell of an address, and checks the certificate for it", async () => {
    expect(await told("127.0.0.1", { callbackSNI: true })).toBe("null")
  })

  it("tells the name of the URL, not callbackHost", async () => {
    const options = { ...elsewhere, ca: Certificate.authority }
    expect(await told("localhost", { callbackSNI: true, callbackHost: "x.com" }, options)).toBe('"localhost"')
  })

  it("takes no certificate of an authority it does not know", async () => {
    expect(await told("localhost", {}, {})).toEqual(noTls)
  })

  it("takes no certificate of another host, with SNI or without", async () => {
    const options = { ...elsewhere, ca: [Certificate.authority] }
    expect(await told("app.example.com", { callbackSNI: true }, options)).toEqual(noTls)
    expect(await told("app.example.com", {}, options)).toEqual(noTls)
  })

  it("takes any certificate, if told so", async () => {
    expect(await told("app.example.com", {}, { ...elsewhere, rejectUnauthorized: false })).toBe("null")
  })
})

describe("hosts", () => {
  it("are found by the system: localhost is", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        const outcome = yield* deliver({ callbackUrl: `http://localhost:${server.port}` })
        expect(outcome._tag).toBe("Answered")
        expect(server.received[0]?.headers.host).toBe(`localhost:${server.port}`)
      })
    ))

  it("are looked up once, and the connection goes where they were then", () =>
    withServer(ok, (server) =>
      Effect.gen(function* () {
        const asked: Array<string> = []
        const lookUp = (hostname: string) =>
          Effect.sync(() => {
            asked.push(hostname)
            return asked.length === 1 ? ["127.0.0.1"] : ["10.0.0.1"]
          })
        const outcome = yield* deliver({ callbackUrl: `http://app.example.com:${server.port}` }, { lookUp })
        expect(outcome._tag).toBe("Answered")
        expect(asked).toEqual(["app.example.com"])
      })
    ))

  it("that are unknown are refused with EC 07", async () => {
    expect(await refusal("http://a.example.com/", { lookUp: () => Effect.succeed([]) })).toEqual([
      "0007-00000007",
      "Can not get ip by this host.",
      "a.example.com"
    ])
  })

  it("in private networks are refused with EC 08 where they are not allowed, whichever address it is", async () => {
    const hosts: Readonly<Record<string, ReadonlyArray<string>>> = {
      "a.com": ["8.8.8.8"],
      "b.com": ["8.8.8.8", "2001:4860::8888", "::1"]
    }
    const options = { lookUp: (name: string) => Effect.succeed(hosts[name] ?? []), privateAddressesAllowed: false }
    expect(await refusal("a.com;b.com", options)).toEqual([
      "0007-00000008",
      "Private address is forbidden to callback.",
      "b.com"
    ])
    expect(await refusal("a.com", options)).toBe("not refused")
  })

  it.each(["2130706433", "0x7f.1", "127.1", "localhost"])("%s is such a host", async (hostname) => {
    expect((await refusal(`http://${hostname}/`, { privateAddressesAllowed: false }))[0]).toBe("0007-00000008")
  })

  it("that the system does not find in time are unknown", async () => {
    expect(await Effect.runPromise(Resolution.systemLookUp(50)("no-such-host.invalid"))).toEqual([])
  })

  it("that do not answer at all cannot be connected to", async () => {
    expect(await Effect.runPromise(deliver({ callbackUrl: "http://192.0.2.1:81/" }, { timeout: 100 }))).toEqual(
      cannotConnect
    )
  })
})

describe("a receiver in this process", () => {
  it("gets what would have come over a socket: the core verifies its signature", async () => {
    const trusted = Either.getOrThrow(CallbackSignature.trust(publicKeyUrl, keys.publicKeyPem))
    const verifying: CallbackSender.Receiver = (request) =>
      Effect.flatMap(answering(200, utf8('{"ok":true}'))(request), (answer) =>
        Effect.orDie(Effect.as(CallbackSignature.verify(crypto, [trusted], request), answer))
      )
    expect(await outcome(verifying)).toEqual({
      _tag: "Answered",
      body: utf8('{"ok":true}'),
      contentType: "application/json"
    })
  })

  it("is held to the same rules", async () => {
    expect(await outcome(answering(201, utf8("{}")))).toEqual(failed("203", "Error status : 201."))
    expect(await outcome(answering(200, utf8("")))).toEqual(
      failed("203", "Error Status : 400.User server return invalid conent-length value.")
    )
    expect(await outcome(answering(200, new Uint8Array(1024 * 1024 + 1)))).toEqual(
      failed("203", "Error Status : 400.User server return too long content-length value.")
    )
    expect(await outcome(answering(200, utf8("OK")))).toEqual(failed("205", "Response body is not valid json format."))
  })
})
