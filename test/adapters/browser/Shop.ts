/**
 * An emulator, an application server that grants, and what its pages call: for tests of uploads without keys.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import type { UploadGrant } from "../../../core/model/UploadGrant.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as Grant from "../../../core/programs/Grant.ts"
import type { OssClient } from "../../../core/programs/OssClient.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as Emulated from "../../support/Emulated.ts"

const url = "http://app.example.com/uploaded"
const secret = Redacted.make("0123456789abcdef-secret")

export const Stored = Callback.make({
  url,
  bucket: "examplebucket",
  body: { object: Callback.object, size: Callback.size, user: Callback.var("user", Schema.String) },
  response: Schema.Struct({ id: Schema.String })
})

const receiver = CallbackReceiver.make(Stored, ({ object, size, user }) =>
  user === "broken" ? Effect.fail("broken") : Effect.succeed({ id: `${user}/${object}/${size}` })
)

export const partSize = 102_400

/** Both, for the length of the scope. Parts from 300,000 bytes on, a PUT from 150,000, else a form. */
export const open = (more: Partial<Grant.Options<{ id: string }>> = {}) =>
  Effect.gen(function* () {
    const emulator = yield* OssEmulator.make({ receivers: { [url]: receiver } })
    const runtime = yield* Effect.provide(Effect.runtime<OssClient>(), Emulated.client(emulator))
    const run = <A, E>(effect: Effect.Effect<A, E, OssClient>): Promise<A> => Runtime.runPromise(runtime)(effect)
    const options = { expiresIn: "1 minute", secret, partSize, formUpTo: 150_000, putUpTo: 300_000, ...more } as const
    const calls: Array<string> = []
    return {
      emulator,
      run,
      calls,
      grant: (file: Blob, key = "k.bin"): Promise<UploadGrant> => {
        calls.push("grant")
        return run(Grant.issue(key, file, options))
      },
      renew: (ticket: string, parts: ReadonlyArray<number>) => {
        calls.push(`renew ${parts.join()}`)
        return run(Grant.renew(ticket, parts, { secret, expiresIn: "1 minute" }))
      },
      complete: (ticket: string, parts: ReadonlyArray<{ readonly number: number; readonly crc64: string }>) => {
        calls.push(`complete ${parts.length}`)
        return run(Grant.toOutcome(Grant.complete(ticket, parts, { secret, callback: more.callback })))
      },
      abort: (ticket: string) => run(Grant.abort(ticket, { secret }))
    }
  })
