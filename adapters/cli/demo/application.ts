/**
 * The demo's application server: it takes callbacks from the emulator, and remembers what it was told.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { InvalidParam } from "../../../core/model/OssError.ts"
import * as CallbackReceiver from "../../../core/programs/CallbackReceiver.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import type { Service as Emulator } from "../../emulator/OssEmulator.ts"
import * as NodeCallback from "../../node/NodeCallback.ts"
import * as Contracts from "./contracts.ts"

export interface Application {
  readonly url: string
  readonly noteUploaded: ReturnType<typeof Contracts.noteUploaded>
  readonly videoUploaded: ReturnType<typeof Contracts.videoUploaded>
  readonly brokenServer: ReturnType<typeof Contracts.brokenServer>
  /** What the server was told, in words, the oldest first. */
  readonly told: ReadonlyArray<string>
}

/** Starts the server. It trusts the emulator's key, as a real one trusts Alibaba's. */
export const start = (emulator: Emulator): Effect.Effect<Application, InvalidParam, Scope.Scope> =>
  Effect.gen(function* () {
    const told: Array<string> = []
    const contracts = (server: string) => ({
      noteUploaded: Contracts.noteUploaded(server, emulator.bucket),
      videoUploaded: Contracts.videoUploaded(server, emulator.bucket),
      brokenServer: Contracts.brokenServer(server, emulator.bucket)
    })
    // Receivers know nothing of their own address; only who uploads must.
    const { noteUploaded, videoUploaded, brokenServer } = contracts("http://localhost")
    const receivers = {
      "/note-uploaded": CallbackReceiver.make(noteUploaded, ({ author, object, size }) =>
        Effect.sync(() => {
          told.push(`${author} wrote ${object}, ${size} bytes`)
          return { id: `note-${told.length}`, greeting: `hello ${author}` }
        })
      ),
      "/video-uploaded": CallbackReceiver.make(videoUploaded, ({ crc64, object, size, userId }) =>
        Effect.sync(() => {
          told.push(`${userId} uploaded ${object}, ${size} bytes, CRC-64 ${crc64}`)
          return { id: `video-${told.length}`, greeting: `hello ${userId}` }
        })
      ),
      "/broken": CallbackReceiver.make(brokenServer, () => Effect.fail("the demo's broken server is broken"))
    }
    const key = yield* CallbackSignature.trust(emulator.publicKeyUrl, emulator.publicKeyPem)
    const server = yield* NodeCallback.serve(receivers, { host: "127.0.0.1" }).pipe(
      Effect.provideService(CallbackReceiver.TrustedKeys, [key])
    )
    return { url: server.url, told, ...contracts(server.url) }
  })
