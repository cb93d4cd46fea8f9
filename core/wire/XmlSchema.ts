/**
 * Answers in XML, decoded by Schemas. Pure.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { UnexpectedResponse } from "../model/OssError.ts"
import type { Response } from "../ports/Transport.ts"
import * as Misfit from "./Misfit.ts"
import * as ServiceResponse from "./ServiceResponse.ts"
import * as Uri from "./Uri.ts"
import * as Xml from "./Xml.ts"

/** Reads an answer's XML by a Schema. Fails with `UnexpectedResponse`, in one line that says where it does not fit. */
export const read = <A, I>(
  operation: string,
  root: string,
  schema: Schema.Schema<A, I>
): ((response: Response) => Either.Either<A, UnexpectedResponse>) => {
  const decode = Schema.decodeUnknownEither(schema)
  return (response) => {
    const refuse = (reason: string) => ServiceResponse.unexpected(operation, response, reason)
    return Xml.parse(response.body, root).pipe(
      Either.mapLeft(refuse),
      Either.flatMap((record) =>
        Either.mapLeft(decode(record), (error) => refuse(`its XML does not fit: ${Misfit.describe(error)}`))
      )
    )
  }
}

/** Elements that may stand any number of times: none, one (a value alone) or many (an array). */
export const many = <A, I>(item: Schema.Schema<A, I>) =>
  Schema.optionalWith(
    Schema.transform(Schema.Unknown, Schema.Array(item), {
      strict: false,
      decode: (value) => (Array.isArray(value) ? value : [value]),
      encode: (values) => values
    }),
    { default: () => [] }
  )

/** A whole number from 0 to 2^53 - 1, written in decimal. The pattern comes first: `Number` also takes `0x10` and `1e3`. */
export const Count = Schema.compose(Schema.String.pipe(Schema.pattern(/^\d{1,16}$/)), Schema.NumberFromString).pipe(
  Schema.int(),
  Schema.nonNegative()
)
/** A moment in ISO 8601: milliseconds since 1970. */
export const Moment = Schema.transform(
  Schema.String.pipe(Schema.filter((text) => Number.isFinite(Date.parse(text)))),
  Schema.Number,
  { strict: true, decode: (text) => Date.parse(text), encode: (time) => new Date(time).toISOString() }
)
/** `true` or `false`. */
export const Flag = Schema.transform(Schema.Literal("true", "false"), Schema.Boolean, {
  strict: true,
  decode: (text) => text === "true",
  encode: (flag) => (flag ? "true" : "false")
})
/** A text that OSS percent-encoded because the request asked for `encoding-type=url`; as it stands where it is not encoded. */
export const UrlEncoded = Schema.transform(Schema.String, Schema.String, {
  strict: true,
  decode: (text) => Either.getOrElse(Uri.decode(text, "key"), () => text),
  encode: Uri.encode
})
