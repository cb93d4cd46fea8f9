/**
 * Text as UTF-8 bytes and back. Pure. Lone surrogates have no UTF-8 form, so they are detected rather than replaced.
 *
 * Source: Encoding Standard, https://encoding.spec.whatwg.org
 */
import * as Option from "effect/Option"

const encoder = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The UTF-8 bytes of a well-formed text. A lone surrogate would become U+FFFD: check with `isWellFormed` first. */
export const encode = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** The text of UTF-8 bytes; `None` when they are not UTF-8. A leading byte-order mark is kept as U+FEFF. */
export const decode = (bytes: Uint8Array): Option.Option<string> => {
  try {
    return Option.some(strict.decode(bytes))
  } catch {
    return Option.none()
  }
}

const loneSurrogate = /\p{Surrogate}/u

/** Whether the text is free of lone surrogates. */
export const isWellFormed = (text: string): boolean => !loneSurrogate.test(text)

/** How many bytes the UTF-8 form takes. */
export const byteLength = (text: string): number => {
  let bytes = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // Two code units of a pair take four bytes: two each.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

/** The UTF-8 bytes of a long text that is never whole in memory: of its well-formed pieces, which are asked for twice. */
export const encodePieces = (pieces: () => Iterable<string>): Uint8Array<ArrayBuffer> => {
  let length = 0
  for (const piece of pieces()) length += byteLength(piece)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces()) at += encoder.encodeInto(piece, bytes.subarray(at)).written
  return bytes
}
