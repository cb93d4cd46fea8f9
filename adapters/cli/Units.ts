/**
 * The spellings of numbers on a command line: sizes, times, and pairs. Pure; throws `Usage` with what was expected.
 */
import { Usage } from "./Command.ts"

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3
}

/** Bytes of `8MiB`, `8M` (both 1024²), `8MB` (1000²) or `8388608`. */
export const bytes = (option: string, text: string): number => {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = sizeUnits[unit.toLowerCase()]
  const value = Number(digits) * (factor ?? Number.NaN)
  if (digits !== "" && Number.isSafeInteger(value)) return value
  throw new Usage(`${option} must be a size such as 8MiB, 500KB or 1048576, got "${text}"`)
}

const timeUnits: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Seconds of `90s`, `10m`, `2h`, `7d`, `1w`, or sums of these such as `1h30m`. A bare number is refused. */
export const seconds = (option: string, text: string): number => {
  const sum = Array.from(text.matchAll(/(\d+)([smhdw])/g)).reduce(
    (total, [, digits, unit]) => total + Number(digits) * timeUnits[unit!]!, // the pattern has no other units
    0
  )
  if (/^(?:\d+[smhdw])+$/.test(text) && Number.isSafeInteger(sum)) return sum
  throw new Usage(`${option} must be a time such as 30s, 10m, 2h or 7d, got "${text}"`)
}

/** A whole number. */
export const whole = (option: string, text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Usage(`${option} must be a whole number, got "${text}"`)
}

/** Of `name=value`, both; the value may be empty and may hold more "=". */
export const pair = (option: string, text: string): readonly [name: string, value: string] => {
  const at = text.indexOf("=")
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new Usage(`${option} must be NAME=VALUE, got "${text}"`)
}

/** Pairs as a record; no name twice. */
export const pairs = (option: string, texts: ReadonlyArray<string>): Readonly<Record<string, string>> => {
  const record = new Map<string, string>()
  for (const text of texts) {
    const [name, value] = pair(option, text)
    if (record.has(name)) throw new Usage(`${option} gives ${name} twice`)
    record.set(name, value)
  }
  return Object.fromEntries(record)
}

/** Where an object is, or a bucket: `oss://bucket/key`. */
export interface OssUrl {
  readonly bucket: string
  /** As it stands, nothing decoded; empty for the bucket itself. */
  readonly key: string
}

/** Reads `oss://bucket/key`. */
export const ossUrl = (text: string): OssUrl => {
  const [, bucket, key = ""] = /^oss:\/\/([^/]+)(?:\/([\s\S]*))?$/.exec(text) ?? []
  if (bucket !== undefined) return { bucket, key }
  throw new Usage(`must be oss://BUCKET/KEY, got "${text}"`)
}

/** Reads `oss://bucket/key`, with a key. */
export const objectUrl = (text: string): OssUrl => {
  const url = ossUrl(text)
  if (url.key !== "") return url
  throw new Usage(`must name an object, oss://BUCKET/KEY, got "${text}"`)
}
