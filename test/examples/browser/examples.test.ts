/** The snippets of adapters/browser/README.md, run against an emulator. */
import { assert, it, vi } from "@effect/vitest"
import type { UploadGrant } from "effect-oss"
import { OssEmulator } from "effect-oss/emulator"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Emulated from "../../support/Emulated.ts"
import { onVideoUploaded } from "../readme/receive.ts"
import { complete, grant, renew } from "./grant.ts"
import * as Page from "./page.ts"
import * as PageWithEffect from "./pageWithEffect.ts"

interface Body {
  readonly ticket: string
  readonly parts: ReadonlyArray<UploadGrant.SentPart>
}

it.scopedLive("the page's snippets upload what the server's snippets grant", () =>
  Effect.gen(function* () {
    const receivers = { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
    const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
    const runtime = yield* Effect.provide(
      Effect.runtime<Effect.Effect.Context<ReturnType<typeof grant>>>(),
      Emulated.client(emulator)
    )
    const configured = ConfigProvider.fromMap(new Map([["UPLOAD_SECRET", "0123456789abcdef"]]))
    const run = <A, E>(effect: Effect.Effect<A, E, Effect.Effect.Context<ReturnType<typeof grant>>>) =>
      Runtime.runPromise(runtime)(Effect.withConfigProvider(effect, configured))
    const answers: Readonly<Record<string, (body: Body & File) => Promise<unknown>>> = {
      "/grant": (file) => run(grant("u_1", file)),
      "/renew": ({ parts, ticket }) => run(renew(ticket, parts.map(Number))),
      "/complete": ({ parts, ticket }) => run(complete(ticket, parts))
    }
    const real = globalThis.fetch
    const server: typeof fetch = async (input, init) => {
      const answer = typeof input === "string" ? answers[input] : undefined
      return answer === undefined
        ? real(input, init)
        : Response.json(await answer(JSON.parse(String(init?.body)) as Body & File))
    }
    vi.stubGlobal("fetch", server)
    yield* Effect.addFinalizer(() => Effect.sync(() => vi.unstubAllGlobals()))

    for (const size of [1000, 34 * 1024 ** 2]) {
      const file = new File([new Uint8Array(size)], "a.mp4", { type: "video/mp4" })
      const shares: Array<number> = []
      const { callback } = yield* Effect.promise(() => Page.send(file, undefined, (share) => shares.push(share)).done)
      assert.deepStrictEqual(callback, { videoId: "video-of-u_1" })
      assert.strictEqual(shares.at(-1), 1)
      const api: PageWithEffect.Api = {
        grant: (file) => Effect.promise(() => run(grant("u_2", file))),
        renew: (ticket, parts) => Effect.promise(() => run(renew(ticket, parts))),
        complete: (ticket, parts) => Effect.promise(() => run(complete(ticket, parts)))
      }
      assert.strictEqual(yield* PageWithEffect.send(file, api), "video-of-u_2")
    }
  })
)
