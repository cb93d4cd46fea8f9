/**
 * Permission to upload by form, for somebody without keys: where to post, and the fields to post before the file.
 *
 * Plain JSON on both ends. What it permits stands in its policy, `fields.policy`, in base64. Whoever holds it can use it
 * until it expires: treat it as a secret, and never log it.
 */
import * as Schema from "effect/Schema"

/** The Schema of a signed form. */
export const SignedForm = Schema.Struct({
  url: Schema.NonEmptyString,
  /** Everything but the key and the file; the file comes last. */
  fields: Schema.Record({ key: Schema.String, value: Schema.String }),
  bucket: Schema.String,
  /** Milliseconds since 1970. */
  expiresAt: Schema.Number
})

export type SignedForm = typeof SignedForm.Type
