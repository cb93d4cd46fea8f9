/**
 * What the emulator promises, on a socket and in process alike.
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { OssEmulator } from "../../adapters/emulator/OssEmulator.ts"
import type { Transport } from "../../core/ports/Transport.ts"
import * as SharedLayer from "../support/SharedLayer.ts"
import { access } from "./emulator/access.ts"
import { buckets } from "./emulator/buckets.ts"
import { callbacks } from "./emulator/callbacks.ts"
import { faults } from "./emulator/faults.ts"
import { forms } from "./emulator/forms.ts"
import type { It } from "./emulator/it.ts"
import { multipart } from "./emulator/multipart.ts"
import { objects } from "./emulator/objects.ts"

export { options } from "./emulator/options.ts"

/** Runs the suite on an emulator made with `options`, and a transport that leads to it. */
export const suite = (name: string, emulator: Layer.Layer<OssEmulator | Transport, unknown>): void =>
  SharedLayer.tests(name, emulator, (it) => {
    // The clock is the layer's, so a test finds it where the one before has left it.
    const fresh: It = { effect: (name, test) => it.effect(name, () => Effect.zipRight(TestClock.setTime(0), test())) }
    objects(fresh)
    multipart(fresh)
    access(fresh)
    forms(fresh)
    callbacks(fresh)
    buckets(fresh)
    faults(fresh)
  })
