/**
 * The tester of a suite whose layer is an emulator and a transport that leads to it.
 */
import type { Vitest } from "@effect/vitest"
import type { OssEmulator } from "../../../adapters/emulator/OssEmulator.ts"
import type { Transport } from "../../../core/ports/Transport.ts"

export type It = Vitest.MethodsNonLive<OssEmulator | Transport>
