/**
 * What tells one refusal from another.
 */
import type { Output } from "../../adapters/emulator/Client.ts"

/** Status, Code and EC of an answer; empty where it has none. */
export const refusal = (answer: Output): ReadonlyArray<string | number> => [
  answer.status,
  answer.xml("Code") ?? "",
  answer.xml("EC") ?? ""
]
