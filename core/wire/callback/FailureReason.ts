/**
 * Why a callback failed, from the words of a 203 answer. Pure.
 *
 * Sources: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback; error-code articles 0007-00000201 ff.
 */
import type { CallbackFailure } from "../../model/OssError.ts"

// In the order in which they must be tried: the length complaints also begin with "Error status".
const byText: ReadonlyArray<readonly [RegExp, CallbackFailure]> = [
  [/too long content-length/i, "TooLong"],
  [/content-length/i, "Other"],
  [/conent-length/i, "Other"],
  [/timeout|cost too long time/i, "TimedOut"],
  [/can ?not connect/i, "CannotConnect"],
  [/error status ?: ?-1/i, "CannotConnect"],
  [/error status ?: ?\d/i, "BadStatus"],
  [/not valid json/i, "NotJson"],
  [/too many callback/i, "TooMany"]
]
const byEc: { readonly [ec: string]: CallbackFailure } = {
  "0007-00000201": "TooMany",
  "0007-00000202": "TimedOut",
  "0007-00000205": "NotJson"
}

/** The reason by OSS's sentence, else by its EC, else `Other`. */
export const of = (detail: string, ec: string): CallbackFailure =>
  byText.find(([text]) => text.test(detail))?.[1] ?? byEc[ec] ?? "Other"
