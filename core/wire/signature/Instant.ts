/**
 * The two spellings of a moment in a V4 signature: `20250715` and `20250715T093045Z`. Pure arithmetic, no clock.
 *
 * Moments are milliseconds since 1970 in UTC; milliseconds are cut off, not rounded. Years 1970 to 9999.
 * Source: "Signature Version 4", https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4;
 * the calendar is that of Howard Hinnant's "chrono-compatible low-level date algorithms".
 */
import * as Option from "effect/Option"

/** Milliseconds of one day. */
export const day = 86_400_000

/** The first moment that has no spelling: the year 10000. */
export const end = 253_402_300_800_000

/** Whether the moment can be spelled: 0 up to, but not including, `end`. */
export const isValid = (time: number): boolean => time >= 0 && time < end

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`)

/** The day of a moment: `20250715`. The moment must be valid. */
export const date = (time: number): string => {
  // Days since 0000-03-01, so that a leap day ends a year; 146097 days are one cycle of 400 years.
  const days = Math.floor(time / day) + 719_468
  const era = Math.floor(days / 146_097)
  const dayOfEra = days - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153) // 0 is March
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${year}${two(month)}${two(dayOfMonth)}`
}

/** The time of day of a moment, as it follows the date: `T093045Z`. The moment must be valid. */
export const timeOfDay = (time: number): string => {
  const seconds = Math.floor((time % day) / 1000)
  return `T${two(Math.floor(seconds / 3600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}Z`
}

/** A moment in full: `20250715T093045Z`. The moment must be valid. */
export const datetime = (time: number): string => date(time) + timeOfDay(time)

const form = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/** The moment of a full spelling; `None` for another form, for years before 1970, and for dates like 20250230. */
export const parse = (text: string): Option.Option<number> => {
  const match = form.exec(text)
  if (match === null) return Option.none()
  const [, year, month, dayOfMonth, hours, minutes, seconds] = match.map(Number) as [0, ...SixNumbers] // six groups
  const time = Date.UTC(year, month - 1, dayOfMonth, hours, minutes, seconds)
  // Date.UTC carries the 30th of February over into March: what does not come back as it was is no date.
  return isValid(time) && datetime(time) === text ? Option.some(time) : Option.none()
}

type SixNumbers = [number, number, number, number, number, number]
