/**
 * One page of a list in OSS's order, with common prefixes folded. Pure.
 *
 * Source: "ListObjects", https://www.alibabacloud.com/help/en/oss/developer-reference/listobjects
 */
import * as State from "../State.ts"

export interface Request<A> {
  /** In OSS's order. */
  readonly items: ReadonlyArray<A>
  readonly keyOf: (item: A) => string
  readonly prefix: string
  /** Empty for none. */
  readonly delimiter: string
  /** Whether an item comes before the page or ends the one before. */
  readonly isBefore: (item: A) => boolean
  /** A common prefix that ended the page before; its keys are not folded again. */
  readonly after: string
  readonly max: number
}

export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly prefixes: ReadonlyArray<string>
  readonly truncated: boolean
  /** The last on this page, an item or a common prefix; `undefined` when the page is empty. */
  readonly last: { readonly item: A } | { readonly prefix: string } | undefined
}

const commonPrefix = (key: string, prefix: string, delimiter: string): string | undefined => {
  if (delimiter === "") return undefined
  const at = key.indexOf(delimiter, prefix.length)
  return at === -1 ? undefined : key.slice(0, at + delimiter.length)
}

/** The page: items and common prefixes together are at most `max`. */
export const make = <A>({ items, keyOf, prefix, delimiter, isBefore, after, max }: Request<A>): Page<A> => {
  const found: Array<A> = []
  const prefixes: Array<string> = []
  let last: Page<A>["last"]
  for (const item of items) {
    const key = keyOf(item)
    if (!key.startsWith(prefix) || isBefore(item)) continue
    const folded = commonPrefix(key, prefix, delimiter)
    if (folded !== undefined && (folded === prefixes.at(-1) || folded === after)) continue
    if (found.length + prefixes.length === max) return { items: found, prefixes, truncated: true, last }
    if (folded === undefined) {
      found.push(item)
      last = { item }
    } else {
      prefixes.push(folded)
      last = { prefix: folded }
    }
  }
  return { items: found, prefixes, truncated: false, last }
}

/** Things with keys, in OSS's order. */
export const sortByKey = <A extends { readonly key: string }>(items: Iterable<A>): ReadonlyArray<A> =>
  Array.from(items).sort((a, b) => State.compareKeys(a.key, b.key))
