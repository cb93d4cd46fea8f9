/**
 * A layer that several tests share.
 *
 * `layer` of @effect/vitest (0.30.0) writes the testers that run in the layer into the `it` that every test has: whatever
 * `it.effect` is collected after it, in this file or in the next of the same process, would run in the layer too, on a
 * clock that others have moved. Here they are handed to the tests that asked for them, and `it` stays what it was.
 */
// oxlint-disable-next-line no-restricted-imports -- the one place where what it changes is put back
import * as EffectVitest from "@effect/vitest"
import type * as Layer from "effect/Layer"

export type It<R> = Pick<EffectVitest.Vitest.MethodsNonLive<R>, "effect" | "scoped">

const { effect, layer, scoped } = EffectVitest

/** Runs the tests in one layer, which is built before the first of them and released after the last. */
export const tests = <R, E>(name: string, shared: Layer.Layer<R, E>, collect: (it: It<R>) => void): void => {
  layer(shared)(name, (it) => {
    const inLayer = { effect: it.effect, scoped: it.scoped }
    Object.assign(it, { effect, layer, scoped })
    collect(inLayer)
  })
}
