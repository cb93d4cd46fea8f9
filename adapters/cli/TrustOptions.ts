/**
 * Which keys may sign callbacks, as options. Alibaba's own unless others are named, as the emulator's.
 */
import * as Effect from "effect/Effect"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"
import type { InvalidParam } from "../../core/model/OssError.ts"
import type { Options, Values } from "./Command.ts"
import { Problem } from "./Run.ts"
import * as Units from "./Units.ts"
import * as Reading from "./Reading.ts"

export const options = {
  trust: {
    kind: "texts",
    value: "URL[=FILE]",
    about: "trust the key of this URL (x-oss-pub-key-url), not Alibaba's; fetched, or from the file"
  }
} as const satisfies Options

const fetchText = (url: string): Effect.Effect<string, Problem> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
      if (!response.ok) throw new Error(`answered ${response.status}`)
      return await response.text()
    },
    catch: (cause) => new Problem(`${url}: ${cause instanceof Error ? cause.message : String(cause)}`)
  })

/** The keys to trust. Fails when one cannot be had. */
export const keys = (
  given: Values<typeof options>
): Effect.Effect<ReadonlyArray<CallbackSignature.TrustedKey>, Problem | InvalidParam | Reading.ReadError> =>
  given.trust.length === 0
    ? Effect.succeed([CallbackSignature.alibabaKey])
    : Effect.forEach(given.trust, (trust) => {
        const [url, file] = trust.includes("=") ? Units.pair("--trust", trust) : [trust, undefined]
        const pem: Effect.Effect<string, Problem | Reading.ReadError> =
          file === undefined ? fetchText(url) : Reading.text(file)
        return Effect.flatMap(pem, (text) => CallbackSignature.trust(url, text))
      })
