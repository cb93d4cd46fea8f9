/**
 * The two spellings of a moment in a V4 signature: `20250715` and `20250715T093045Z`. Pure: reads no clock.
 *
 * Moments are milliseconds since 1970 in UTC; milliseconds are cut off, not rounded. Years 1970 to 9999.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import * as Option from "effect/Option"

/** Milliseconds of one day. */
export const day = 86_400_000

/** The first moment that has no spelling: the year 10000. */
export const end = 253_402_300_800_000

/** Whether the moment can be spelled: 0 up to, but not including, `end`. */
export const isValid = (time: number): boolean => time >= 0 && time < end

/** The day of a moment: `20250715`. The moment must be valid. */
export const date = (time: number): string => isoDay(time).replaceAll("-", "")

// Asking the engine takes 0.6 µs, and most moments asked about in a row are of one day.
let lastDay = -1
let lastIsoDay = ""
const isoDay = (time: number): string => {
  const number = Math.floor(time / day)
  if (number !== lastDay) {
    lastIsoDay = new Date(time).toISOString().slice(0, 10)
    lastDay = number
  }
  return lastIsoDay
}

/** A moment as ISO 8601 has it: `2025-07-15T09:30:45.123Z`. The moment must be valid, in whole milliseconds. */
export const iso = (time: number): string => {
  const milliseconds = time % 1000
  const seconds = Math.floor((time % day) / 1000)
  const thousandths = `${1000 + milliseconds}`.slice(1)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${isoDay(time)}T${two(hours)}:${two(minutes)}:${two(seconds % 60)}.${thousandths}Z`
}

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`)

/** The time of day of a moment, as it follows the date: `T093045Z`. The moment must be valid. */
export const timeOfDay = (time: number): string => {
  const seconds = Math.floor((time % day) / 1000)
  return `T${two(Math.floor(seconds / 3600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}Z`
}

/** A moment in full: `20250715T093045Z`. The moment must be valid. */
export const datetime = (time: number): string => date(time) + timeOfDay(time)

/** The moment of a full spelling; `None` for another form, for years before 1970, and for dates like 20250230. */
export const parse = (text: string): Option.Option<number> => {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")
  const time = Date.parse(iso)
  // Date.parse takes other forms too, and in some engines the 30th of February: what does not come back as it was is none.
  return isValid(time) && datetime(time) === text ? Option.some(time) : Option.none()
}
