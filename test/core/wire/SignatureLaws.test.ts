/**
 * The two ends of a signature, by their laws: what was signed is accepted as it arrives, and nothing else is.
 *
 * Every request goes through the wire: its URL is built, taken apart and decoded again, its headers lose their outer blanks.
 */
import { describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { crypto } from "../../../adapters/node/NodeCrypto.ts"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as Signature from "../../../core/wire/Signature.ts"
import * as Uri from "../../../core/wire/Uri.ts"

const law = <A>(arbitrary: FastCheck.Arbitrary<A>, holds: (a: A) => boolean) =>
  FastCheck.assert(FastCheck.property(arbitrary, holds), { numRuns: 10_000 })

const bucket = Either.getOrThrow(Bucket.make({ bucket: "media", region: "cn-hangzhou" }))
const signer = Signature.make(crypto)
const secret = Redacted.make("fake-secret")
const tokens = [undefined, Redacted.make("fake-security-token")]

type Texts = Record<string, string>

const text = FastCheck.oneof(
  FastCheck.string({ unit: "binary", maxLength: 12 }),
  FastCheck.string({ unit: FastCheck.constantFrom(..."aZ09-._~!'()*/%+& =?#\\é😀"), maxLength: 12 })
)
const headerValue = text.filter((value) => !/[\r\n\0]/.test(value))
const headerName = FastCheck.oneof(
  FastCheck.constantFrom("content-type", "content-md5", "cache-control", "host", "range"),
  FastCheck.string({ unit: FastCheck.constantFrom(..."abz09-_."), minLength: 1, maxLength: 6 }).map(
    (name) => `x-oss-meta-${name}`
  )
)
const isAdditional = (name: string) => ["cache-control", "host", "range"].includes(name)
const blanks = /^[ \t]+|[ \t]+$/g

const requests: FastCheck.Arbitrary<Signature.Request> = FastCheck.record({
  method: FastCheck.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD"),
  key: FastCheck.option(text, { nil: undefined }),
  query: FastCheck.dictionary(text, text, { maxKeys: 4 }).filter((query) => query[""] !== ""),
  headers: FastCheck.dictionary(headerName, headerValue, { maxKeys: 5 }),
  named: FastCheck.boolean()
}).map(({ headers, named, ...request }) => ({
  ...request,
  bucket: bucket.name,
  headers,
  additionalHeaders: named
    ? Object.keys(headers).filter((name) => isAdditional(name) && headers[name]!.replace(blanks, "") !== "")
    : []
}))

const terms = FastCheck.record({
  credentials: FastCheck.constantFrom(...tokens).map((securityToken) => ({
    accessKeyId: "LTAIfake",
    accessKeySecret: secret,
    securityToken
  })),
  region: FastCheck.constantFrom("cn-hangzhou", "us-west-1"),
  time: FastCheck.integer({ min: 0, max: 4_000_000_000_000 }),
  expiresIn: FastCheck.integer({ min: 1, max: 604_800 })
})

/** What a server makes of a URL and of headers. */
const arrive = (method: string, url: string, headers: Texts): Signature.Received => {
  const [path, search = ""] = url.slice(bucket.origin.length).split("?")
  return {
    method,
    bucket: bucket.name,
    key: decodeURIComponent(path!.slice(1)),
    query: Either.getOrThrow(Uri.decodeQuery(search)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(blanks, "")]))
  }
}

const accepts = (received: Signature.Received): boolean => {
  const claim =
    received.headers["authorization"] === undefined
      ? Signature.claimInQuery(received.query)
      : Signature.claimInHeaders(received.headers)
  return Either.getOrElse(
    Either.flatMap(claim, (claim) =>
      Either.map(Signature.expected(signer, claim, received, secret), ({ signature }) =>
        Signature.equal(signature, claim.signature)
      )
    ),
    () => false
  )
}

const byHeaders = FastCheck.tuple(requests, terms).map(([request, terms]) => {
  const signed = Either.getOrThrow(Signature.signHeaders(signer, request, terms))
  const headers = { ...request.headers, ...signed.headers }
  return arrive(request.method, Uri.url(bucket, request.key, request.query), headers)
})

const byUrl = FastCheck.tuple(requests, terms).map(([request, terms]) => {
  const { headers, search } = Either.getOrThrow(Signature.presign(signer, request, terms))
  return arrive(request.method, `${bucket.origin}${Uri.path(bucket, request.key)}?${search}`, headers)
})

/**
 * One character more, less, or another: where, and which. Numbers wrap around. Neither blanks nor capitals are among the
 * characters: around a header's value, and in its name, they change nothing.
 */
interface Change {
  readonly part: number
  readonly at: number
  readonly removed: number
  readonly character: string
}

const changes: FastCheck.Arbitrary<Change> = FastCheck.record({
  part: FastCheck.nat(),
  at: FastCheck.nat(),
  removed: FastCheck.nat(1),
  character: FastCheck.constantFrom("", ..."az0-._~/%+&=;é😀")
})

const change = (text: string, { at, character, removed }: Change): string => {
  const points = Array.from(text)
  return points.toSpliced(at % (points.length + 1), removed, character).join("")
}

/** The request with one change to its method, bucket, key, query or signed headers; `undefined` where nothing changes. */
const tamper = (received: Signature.Received, how: Change): Signature.Received | undefined => {
  const named = /AdditionalHeaders=([^,]+)/.exec(received.headers["authorization"] ?? "")?.[1]
  const additional = (named ?? received.query["x-oss-additional-headers"] ?? "").split(";")
  const isSigned = (name: string) => name !== "authorization" && (!isAdditional(name) || additional.includes(name))

  const places: Array<readonly [string, (text: string) => Signature.Received]> = [
    [received.method, (method) => ({ ...received, method })],
    [received.bucket!, (bucket) => ({ ...received, bucket })],
    [received.key!, (key) => ({ ...received, key })]
  ]
  for (const part of ["query", "headers"] as const) {
    for (const [name, value] of Object.entries(received[part])) {
      if (part === "headers" && !isSigned(name)) continue
      const { [name]: _, ...rest } = received[part]
      places.push([name, (name) => ({ ...received, [part]: { ...rest, [name]: value } })])
      places.push([value, (value) => ({ ...received, [part]: { ...rest, [name]: value } })])
    }
  }
  const [before, put] = places[how.part % places.length]!
  const after = change(before, how)
  return after === before ? undefined : put(after)
}

const isRefused = ([received, how]: [Signature.Received, Change]): boolean => {
  const tampered = tamper(received, how)
  return tampered === undefined || !accepts(tampered)
}

describe("a signature by headers", () => {
  it("is accepted as it arrives", () => law(byHeaders, accepts))
  it("is refused when one character of method, path, query or a signed header changed", () =>
    law(FastCheck.tuple(byHeaders, changes), isRefused))
})

describe("a signature in a URL", () => {
  it("is accepted as it arrives", () => law(byUrl, accepts))
  it("is refused when one character of method, path, query or a signed header changed", () =>
    law(FastCheck.tuple(byUrl, changes), isRefused))
  it("is refused when a header joins in that would have been signed", () =>
    law(
      FastCheck.tuple(
        byUrl,
        FastCheck.constantFrom("content-type", "content-md5", "x-oss-callback"),
        headerValue
      ).filter(([{ headers }, name]) => headers[name] === undefined),
      ([received, name, value]) => !accepts({ ...received, headers: { ...received.headers, [name]: value } })
    ))
})

const forms = FastCheck.tuple(FastCheck.base64String({ minLength: 4 }), terms).map(([policy, terms]) => {
  const { credential, date, signature } = Either.getOrThrow(Signature.signPolicy(signer, policy, terms))
  const fields: Texts = {
    "x-oss-signature-version": Signature.algorithm,
    "x-oss-credential": credential,
    "x-oss-date": date,
    "x-oss-signature": signature
  }
  return { fields, policy }
})
const acceptsForm = ({ fields, policy }: { fields: Texts; policy: string }): boolean =>
  Either.getOrElse(
    Either.flatMap(Signature.claimInForm(fields), (claim) =>
      Either.map(Signature.expectedPolicy(signer, claim, policy, secret), (signature) =>
        Signature.equal(signature, claim.signature)
      )
    ),
    () => false
  )

describe("a signature of a policy", () => {
  it("is accepted as it arrives", () => law(forms, acceptsForm))
  it("is refused when one character of the policy changed", () =>
    law(
      FastCheck.tuple(forms, changes),
      ([form, how]) =>
        change(form.policy, how) === form.policy || !acceptsForm({ ...form, policy: change(form.policy, how) })
    ))
  it("is refused when one character of the signature changed", () =>
    law(FastCheck.tuple(forms, changes), ([{ fields, policy }, how]) => {
      const signature = change(fields["x-oss-signature"]!, how)
      return (
        signature === fields["x-oss-signature"] ||
        !acceptsForm({ policy, fields: { ...fields, "x-oss-signature": signature } })
      )
    }))
})
