/**
 * The application's answer to a callback: JSON, by the contract's Schema, written at one end and read at the other. Pure.
 *
 * OSS hands its bytes to the uploader as they are. Source: "Callback",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { CallbackFailure } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import * as Misfit from "../Misfit.ts"

/** What an uploader could not make of the answer. */
export interface OffContract {
  /** `NotJson`, or `OffContract` for JSON that does not fit. */
  readonly reason: CallbackFailure
  /** One line, without the answer itself. */
  readonly detail: string
}

/** Reads an answer. */
export type Decode<A> = (answer: Uint8Array) => Either.Either<A, OffContract>

/** Reads JSON answers by a Schema. Fails with what does not fit. */
export const decoder = <A, I>(response: Schema.Schema<A, I>): Decode<A> => {
  const decode = Misfit.told(Schema.decodeUnknownEither(response))
  return (answer) =>
    Either.gen(function* () {
      const text = yield* Either.fromOption(Utf8.decode(answer), () => notJson("the answer is not UTF-8"))
      const value = yield* Either.try({
        try: (): unknown => JSON.parse(text),
        catch: () => notJson("the answer is not JSON")
      })
      return yield* Either.mapLeft(decode(value), offContract)
    })
}

const notJson = (detail: string): OffContract => ({ reason: "NotJson", detail })
const offContract = (misfit: string): OffContract => ({
  reason: "OffContract",
  detail: `the answer does not fit the contract: ${misfit}`
})

/** Writes answers as JSON text by a Schema. Fails with a sentence for what does not fit, or has no JSON. */
export const encoder = <A, I>(response: Schema.Schema<A, I>): ((answer: A) => Either.Either<string, string>) => {
  const encode = Misfit.told(Schema.encodeEither(response))
  return (answer) =>
    Either.flatMap(encode(answer), (value) =>
      Either.flatMap(
        Either.try({
          // Not always a text: `undefined` has no JSON, and TypeScript's type of `stringify` says otherwise.
          try: (): string | undefined => JSON.stringify(value),
          catch: () => "it has no JSON form"
        }),
        (text) => Either.fromNullable(text, () => "it has no JSON form")
      )
    )
}
