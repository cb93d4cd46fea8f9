/**
 * XML as the emulator writes it: elements from names and children, escaped. Pure.
 */
import * as Xml from "../../core/wire/Xml.ts"

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

/** Markup that is already escaped. */
export type Markup = string & { readonly Markup: unique symbol }

const markup = (text: string): Markup => text as Markup // only `element` and `list` build it, from escaped text

/** An element with text in it. */
export const element = (name: string, text: string | number | boolean): Markup =>
  markup(`<${name}>${Xml.escape(String(text))}</${name}>`)

/** An element with elements in it; absent children are left out. */
export const parent = (name: string, ...children: ReadonlyArray<Markup | undefined>): Markup =>
  markup(`<${name}>${children.filter((child) => child !== undefined).join("")}</${name}>`)

/** Elements one after the other, as one child. */
export const list = (elements: ReadonlyArray<Markup>): Markup => markup(elements.join(""))

/** A whole document. */
export const document = (root: Markup): string => declaration + root
