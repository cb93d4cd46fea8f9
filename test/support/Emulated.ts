/**
 * A client on Node against an emulator on a socket, for the length of a test.
 */
import * as Effect from "effect/Effect"
import type * as OssEmulator from "../../adapters/emulator/OssEmulator.ts"
import * as NodeCallback from "../../adapters/node/NodeCallback.ts"
import * as NodeOss from "../../adapters/node/NodeOss.ts"
import * as CallbackReceiver from "../../core/programs/CallbackReceiver.ts"
import * as CallbackSignature from "../../core/wire/CallbackSignature.ts"

/** The layer of a client of this emulator. */
export const client = (emulator: OssEmulator.Service, options: Partial<NodeOss.Options> = {}) => {
  const { bucket, region, endpoint, credentials } = emulator
  return NodeOss.layer({ bucket, region, endpoint, credentials, ...options })
}

/** Receivers on a socket that trust this emulator. */
export const server = (emulator: OssEmulator.Service, receivers: Parameters<typeof NodeCallback.serve<never>>[0]) =>
  Effect.gen(function* () {
    const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
    return yield* NodeCallback.serve(receivers, { host: "127.0.0.1" }).pipe(
      Effect.provideService(CallbackReceiver.TrustedKeys, [key])
    )
  })
