import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as NodeCryptoModule from "node:crypto"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"

/** Why a key is refused; empty when it is taken. */
const reason = (text: string): string =>
  Either.match(CallbackSignature.trust("http://k", text), { onLeft: ({ reason }) => reason, onRight: () => "" })

const reasonOfHex = (der: string): string => reason(Buffer.from(der, "hex").toString("base64"))

/** A SubjectPublicKeyInfo in hex around a BIT STRING. */
const info = (bits: string) => {
  const content = `300d06092a864886f70d0101010500${bits}`
  return `30${(content.length / 2).toString(16)}${content}`
}

/** The same around the two numbers of a key. */
const spelled = (numbers: string) =>
  info(`03${(numbers.length / 2 + 3).toString(16)}0030${(numbers.length / 2).toString(16)}${numbers}`)

describe("CallbackSignature.trust", () => {
  it("reads no key but an RSA public key of a sensible size", () => {
    assert.match(reason(""), /^must be an RSA public key/)
    assert.match(reason("AAAA"), /^must be an RSA public key/)
    const ec = NodeCryptoModule.generateKeyPairSync("ec", { namedCurve: "P-256" })
    assert.match(reason(ec.publicKey.export({ type: "spki", format: "pem" }).toString()), /must be an RSA public key/)
    const rsa = NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey
    const pem = rsa.export({ type: "spki", format: "pem" }).toString()
    assert.strictEqual(reason(pem), "")
    assert.match(reason(`${pem}${pem}`), /must be an RSA public key/)
    const [first = "", second = ""] = pem.split("\n").slice(1)
    const halves = pem.replace(second, `-----END PUBLIC KEY-----\n-----BEGIN PUBLIC KEY-----\n${second}`)
    assert.isTrue(first.length === 64 && halves !== pem)
    assert.match(reason(halves), /must be an RSA public key/)
    assert.match(reason(pem.replace("-----END", "----END")), /must be an RSA public key/)
    assert.match(reason(rsa.export({ type: "pkcs1", format: "pem" }).toString()), /must be an RSA public key/)
    const smallest = { modulusLength: 512, publicExponent: 3 }
    const three = NodeCryptoModule.generateKeyPairSync("rsa", smallest).publicKey
    assert.strictEqual(reason(three.export({ type: "spki", format: "der" }).toString("base64")), "")
  })

  it("reads DER in its one spelling only", () => {
    const modulus = `00${"c1".repeat(64)}`
    const notRsa = "must be an RSA public key, in PEM or as DER in base64"
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}0203010001`)), "")
    assert.strictEqual(reasonOfHex(spelled(`028141${modulus}0203010001`)), notRsa) // a length longer than need be
    assert.strictEqual(reasonOfHex(spelled(`0280${modulus}0203010001`)), notRsa) // an indefinite length
    assert.strictEqual(reasonOfHex(spelled(`0240${"c1".repeat(64)}0203010001`)), notRsa) // a negative modulus
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}020400010001`)), notRsa) // an idle zero
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}0200`)), notRsa)
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}02030100010500`)), notRsa) // something behind the exponent
    assert.strictEqual(reasonOfHex(`${spelled(`0241${modulus}0203010001`)}00`), notRsa)
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}0203010001`).replace("0101010500", "01010b0500")), notRsa)
    // Lengths that do not agree with those around them, and bits of the last byte that are none.
    const good = spelled(`0241${modulus}0203010001`)
    assert.strictEqual(good.slice(0, 42), "305c300d06092a864886f70d0101010500034b0030")
    assert.strictEqual(reasonOfHex(good.replace(/^305c/, "305b")), notRsa)
    assert.strictEqual(reasonOfHex(good.replace("034b0030", "034b0130")), notRsa)
    assert.strictEqual(reasonOfHex(good.replace("034b003048", "034b003047")), notRsa)
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}020101`)), "must have an odd exponent of 3 to 2^32")
    assert.strictEqual(reasonOfHex(spelled(`0241${modulus}020102`)), "must have an odd exponent of 3 to 2^32")
    assert.strictEqual(reasonOfHex(spelled(`024100${"c2".repeat(64)}0203010001`)), "must have an odd modulus")
    assert.strictEqual(
      reasonOfHex(spelled(`0240${"41".repeat(64)}0203010001`)),
      "must have 512 to 4096 bits, got 511 bits"
    )
  })

  it("ends 10,000 mutated keys in a refusal or a key", () => {
    const der = NodeCryptoModule.generateKeyPairSync("rsa", { modulusLength: 512 }).publicKey.export({
      type: "spki",
      format: "der"
    })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.nat(der.length - 1),
        FastCheck.nat(255),
        FastCheck.nat(der.length),
        (at, value, cut) => {
          const mutated = Buffer.from(der)
          mutated[at] = value
          const bytes = value % 3 === 0 ? mutated.subarray(0, cut) : mutated
          return Either.isEither(CallbackSignature.trust("http://k", bytes.toString("base64")))
        }
      ),
      { numRuns: 10_000 }
    )
  })
})
