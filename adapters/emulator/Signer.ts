/**
 * The library's own signer behind a tag: it computes what a signature must be, and keeps the keys of the day.
 */
import * as Context from "effect/Context"
import type * as Signature from "../../core/wire/Signature.ts"

export class Signer extends Context.Tag("effect-oss/emulator/Signer")<Signer, Signature.Signer>() {}
