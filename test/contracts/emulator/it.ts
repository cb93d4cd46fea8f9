/**
 * The tester of a suite whose layer is an emulator and a transport that leads to it.
 */
import type * as Effect from "effect/Effect"
import type { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import type { Transport } from "../../../core/ports/Transport.ts"

export interface It {
  /** A test that begins at the first moment of 1970. */
  readonly effect: (name: string, test: () => Effect.Effect<unknown, unknown, OssEmulator | Transport>) => void
}
