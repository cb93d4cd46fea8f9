/** One-time tokens: sealed, bound, over in time. That they are spent once is the receiver's part. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import * as NodeCrypto from "../../../adapters/node/NodeCrypto.ts"
import * as OneTimeToken from "../../../core/programs/OneTimeToken.ts"

const secret = Redacted.make("a secret drawn at random")
const other = Redacted.make("another secret, also random")
const forOneKey = { bucket: "media", key: "videos/a.mp4", secret, expiresIn: "1 hour" } as const
const hour = 3_600_000

const issue = (options: OneTimeToken.Options) => Effect.provide(OneTimeToken.issue(options), NodeCrypto.layer)

/** What a receiver says of a token: `fits`, or why not. */
const said = (token: string, shown: Partial<OneTimeToken.Shown> = {}, secrets = [secret]) =>
  Either.match(
    OneTimeToken.check(NodeCrypto.crypto, secrets, token, { bucket: "media", key: "videos/a.mp4", at: 0, ...shown }),
    { onLeft: ({ detail, reason }) => `${reason}: ${detail}`, onRight: () => "fits" }
  )

describe("OneTimeToken", () => {
  it.effect("fits the bucket and the key it was issued for, until its time is over", () =>
    Effect.gen(function* () {
      const token = yield* issue(forOneKey)
      assert.strictEqual(said(token), "fits")
      assert.strictEqual(said(token, { at: hour - 1 }), "fits")
      assert.strictEqual(said(token, { at: hour }), "BadToken: its token is over")
      assert.strictEqual(said(token, { at: undefined }), "fits")
      assert.strictEqual(said(token, { bucket: "other" }), "BadToken: its token is for another bucket")
      assert.strictEqual(said(token, { key: "videos/a.mp4x" }), "BadToken: its token is for another key")
    })
  )

  it.effect("can be for all keys that begin alike", () =>
    Effect.gen(function* () {
      const { key: _, ...rest } = forOneKey
      const token = yield* issue({ ...rest, keyPrefix: "videos/u_1/" })
      assert.strictEqual(said(token, { key: "videos/u_1/x" }), "fits")
      assert.strictEqual(said(token, { key: "videos/u_10/x" }), "BadToken: its token is for another key")
    })
  )

  it.effect("is taken while its secret is one of the receiver's", () =>
    Effect.gen(function* () {
      const token = yield* issue(forOneKey)
      assert.strictEqual(said(token, {}, [other, secret]), "fits")
      assert.strictEqual(said(token, {}, [other]), "BadToken: its token was not issued here")
      assert.strictEqual(said(""), "BadToken: it has no token")
      // A second name for one token could be spent a second time.
      assert.strictEqual(said(`${token}.`), "BadToken: its token was not issued here")
    })
  )

  it.effect("is another one each time, and can stand in a URL as it is", () =>
    Effect.gen(function* () {
      const tokens = yield* Effect.replicateEffect(issue(forOneKey), 100)
      assert.strictEqual(new Set(tokens).size, 100)
      assert.match(tokens[0]!, /^[\w-]+\.[0-9a-f]{64}$/)
    })
  )

  it.effect("is refused after any one of its characters has changed", () =>
    Effect.gen(function* () {
      const token = yield* issue(forOneKey)
      const change = FastCheck.tuple(FastCheck.nat(token.length - 1), FastCheck.string({ minLength: 1, maxLength: 1 }))
      FastCheck.assert(
        FastCheck.property(change, ([at, character]) => {
          const changed = token.slice(0, at) + character + token.slice(at + 1)
          return changed === token || said(changed).startsWith("BadToken")
        }),
        { numRuns: 10_000 }
      )
    })
  )

  it("is refused, whatever text it is", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ unit: "binary" }), (text) => said(text).startsWith("BadToken")),
      { numRuns: 10_000 }
    )
  })

  const wrong: ReadonlyArray<readonly [string, OneTimeToken.Options, field: string]> = [
    ["a short secret", { ...forOneKey, secret: Redacted.make("123456789012345") }, "secret"],
    ["no key", { ...forOneKey, key: "" }, "key"],
    ["a bucket that cannot be", { ...forOneKey, bucket: "M" }, "bucket"],
    ["a lifetime below a second", { ...forOneKey, expiresIn: "999 millis" }, "expiresIn"],
    ["a lifetime beyond 7 days", { ...forOneKey, expiresIn: "169 hours" }, "expiresIn"]
  ]
  for (const [what, options, field] of wrong) {
    it.effect(`is not issued for ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(issue(options))
        assert.strictEqual(error.field, field)
      })
    )
  }
})
