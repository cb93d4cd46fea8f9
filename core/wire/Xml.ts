/**
 * The XML that OSS answers with, as plain records; and the escaping for the little XML that we send. Pure.
 *
 * Parsing is done by @rgrove/parse-xml: strict, without external or user-defined entities. Around it stand the limits that
 * a document from the network needs: its size, its depth, and no DOCTYPE at all.
 * Namespaces are ignored, because one of OSS's own answers carries one and the others do not.
 * Sources: XML 1.0, https://www.w3.org/TR/xml/; answers recorded from OSS.
 */
import * as Either from "effect/Either"
import { parseXml, XmlElement } from "@rgrove/parse-xml"
import * as Option from "effect/Option"
import * as Utf8 from "../model/Utf8.ts"

/** An element: its text when it has no children, else its children by name; a name that stands twice gives an array. */
export type Value = string | Record
export interface Record {
  readonly [name: string]: Value | ReadonlyArray<Value>
}

/** The longest document, in bytes. A full page of 1,000 parts takes about 200 KiB. */
export const maxBytes = 8 * 1024 * 1024
/** The deepest nesting of elements. OSS uses four levels. */
export const maxDepth = 32

/**
 * Reads a document whose root element has one of the names given, as the record of the root's children.
 * Fails with the reason in words; never throws, and takes time linear in the size.
 */
export const parse = (document: Uint8Array, ...roots: ReadonlyArray<string>): Either.Either<Record, string> => {
  if (document.length > maxBytes) return Either.left(`its XML is longer than ${maxBytes} bytes`)
  const text = Utf8.decode(document)
  if (Option.isNone(text)) return Either.left("its body is not UTF-8")
  if (text.value.includes("<!DOCTYPE")) return Either.left("its XML has a DOCTYPE")
  if (isTooDeep(text.value)) return Either.left(`its XML is nested deeper than ${maxDepth} elements`)
  try {
    const { root } = parseXml(withLineFeeds(text.value))
    if (root === null || !roots.includes(root.name)) return Either.left(`its root element is not ${roots.join(" or ")}`)
    const value = toValue(root)
    return Either.right(typeof value === "string" ? {} : value)
  } catch {
    return Either.left("its body is not well-formed XML")
  }
}

/** Characters that have a meaning in XML, escaped; for texts between tags. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

// XML reads all line ends as line feeds. The parser does that too, one at a time, and copies the whole text for each: 2 minutes
// for a megabyte of CR.
const withLineFeeds = (text: string): string => (text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text)

// The parser recurses once per level, so depth is bounded before it runs. Up to where a document stops being well-formed,
// and the parser stops, this counts as the parser does; what comes behind may be miscounted.
const isTooDeep = (text: string): boolean => {
  let depth = 0
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at)) {
    const silent = silents.find(([start]) => text.startsWith(start, at))
    const isEnd = text.startsWith("</", at)
    at = silent ? behind(text, silent[1], at + silent[0].length) : isEnd ? behind(text, ">", at) : behindTag(text, at)
    if (at === -1) return false // not well-formed; the parser says so
    if (isEnd) depth--
    else if (silent === undefined && text[at - 2] !== "/" && ++depth > maxDepth) return true
  }
  return false
}

/** What may hold anything that looks like a tag: comments, CDATA, processing instructions. */
const silents = [
  ["<!--", "-->"],
  ["<![CDATA[", "]]>"],
  ["<?", "?>"]
] as const

/** Where the text goes on behind the next `mark`; -1 without one. */
const behind = (text: string, mark: string, from: number): number => {
  const at = text.indexOf(mark, from)
  return at === -1 ? -1 : at + mark.length
}

/** Where the text goes on behind a start tag: its attributes' values may hold a ">". -1 when the tag does not end. */
const behindTag = (text: string, from: number): number => {
  let at = from
  while (at !== -1 && at < text.length) {
    const character = text[at++]!
    if (character === ">") return at
    if (character === '"' || character === "'") at = behind(text, character, at)
  }
  return -1
}

const toValue = (element: XmlElement): Value => {
  const children: { [name: string]: Value | Array<Value> } = Object.create(null)
  let hasChildren = false
  for (const child of element.children) {
    if (!(child instanceof XmlElement)) continue
    hasChildren = true
    const before = children[child.name]
    const value = toValue(child)
    if (before === undefined) children[child.name] = value
    else if (Array.isArray(before)) before.push(value)
    else children[child.name] = [before, value]
  }
  return hasChildren ? children : element.text
}
