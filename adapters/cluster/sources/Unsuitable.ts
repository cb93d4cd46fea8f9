/**
 * Why something can never serve as a source, however often it is tried: the `cause` of a `SourceError` of reason `Read`.
 */
import * as Data from "effect/Data"

export class Unsuitable extends Data.TaggedError("Unsuitable")<{
  readonly reason: "NoRanges" | "NoStrongETag" | "Redirects" | "Encodes" | "Excluded"
}> {}
