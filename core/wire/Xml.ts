/**
 * The XML that OSS answers with, as plain records; and the escaping for the little XML that we send. Pure.
 *
 * Parsing is done by @rgrove/parse-xml: strict, without external or user-defined entities. Around it stand the limits that
 * a document from the network needs: its size, its depth, and no DOCTYPE at all.
 * Namespaces are ignored, because one of OSS's own answers carries one and the others do not.
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
    const { root } = parseXml(text.value)
    if (root === null || !roots.includes(root.name)) return Either.left(`its root element is not ${roots.join(" or ")}`)
    const value = toValue(root)
    return Either.right(typeof value === "string" ? {} : value)
  } catch {
    return Either.left("its body is not well-formed XML")
  }
}

/** Characters that have a meaning in XML, escaped; for texts between tags. */
export const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

// The parser recurses once per level, so depth is bounded before it runs. Counting start and end tags is enough: in
// comments and CDATA it can only overcount, and OSS sends neither.
const isTooDeep = (text: string): boolean => {
  let depth = 0
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", at + 1)) {
    const next = text.charCodeAt(at + 1)
    if (next === 0x2f /* / */) depth--
    else if (next !== 0x3f /* ? */ && next !== 0x21 /* ! */) {
      const end = text.indexOf(">", at)
      if (end === -1) return false // not well-formed; the parser says so
      if (text.charCodeAt(end - 1) !== 0x2f) depth++
      if (depth > maxDepth) return true
      at = end
    }
  }
  return false
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
