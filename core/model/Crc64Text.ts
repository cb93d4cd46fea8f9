/**
 * A CRC-64 as it is kept in JSON: decimal text, because JSON's numbers end at 2^53. Pure.
 */
import * as Schema from "effect/Schema"

/** 1 to 20 decimal digits, below 2^64. The pattern comes first: `BigInt` also takes hexadecimal, blanks and any length. */
export const schema = Schema.compose(Schema.String.pipe(Schema.pattern(/^\d{1,20}$/)), Schema.BigInt).pipe(
  Schema.betweenBigInt(0n, 2n ** 64n - 1n)
)
