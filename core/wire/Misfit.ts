/**
 * Where a value does not fit its Schema, in one line and without the value: it may hold a token or be of any size, and this
 * text ends in logs. Pure.
 */
import * as Either from "effect/Either"
import type * as ParseResult from "effect/ParseResult"

/** Of what was expected, in characters: a large Schema prints itself at length. */
const maxExpected = 120

/** `videoId: expected string`, for the first thing that is wrong. Never fails. Custom messages are left out, as they may quote the value. */
export const describe = (error: ParseResult.ParseError): string => walk(error.issue, "")

/**
 * What a Schema decodes or encodes with, failing with `describe`'s sentence. A transformation that throws is a misfit too: what
 * a user's Schema does must not turn a stored object, or a contract that is a constant, into a crash.
 */
export const told =
  <A, B>(run: (value: A) => Either.Either<B, ParseResult.ParseError>) =>
  (value: A): Either.Either<B, string> =>
    Either.try({ try: () => run(value), catch: () => "its Schema threw" }).pipe(
      Either.flatMap(Either.mapLeft(describe))
    )

const expected = ({ ast }: { readonly ast: { toString(): string } }): string => {
  const text = String(ast)
  return `expected ${text.length > maxExpected ? `${text.slice(0, maxExpected)}…` : text}`
}

const walk = (issue: ParseResult.ParseIssue, path: string): string => {
  const at = (text: string): string => (path === "" ? text : `${path}: ${text}`)
  switch (issue._tag) {
    case "Pointer":
      return walk(issue.issue, [path, ...[issue.path].flat().map(String)].filter((part) => part !== "").join("."))
    case "Composite": {
      const issues = [issue.issues].flat()
      // Of a union (an optional member is one), the only alternative that the value comes near to.
      const near = issue.ast._tag === "Union" ? issues.filter(({ _tag }) => _tag !== "Type") : issues
      if (issue.ast._tag === "Union" && near.length !== 1) return at(expected(issue))
      const [first] = near
      return first === undefined ? at(expected(issue)) : walk(first, path)
    }
    case "Refinement":
    case "Transformation":
      return walk(issue.issue, path)
    case "Missing":
      return at("is missing")
    case "Unexpected":
      return at("is not expected")
    case "Type":
    case "Forbidden":
      return at(expected(issue))
  }
}
