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

/**
 * The UTF-8 bytes of a long text that is never whole in memory: of its well-formed pieces, in chunks of at most `chunkSize`
 * bytes, which is 4 at least. A chunk's memory is reused: it is valid until the second `next()` after the one that gave it.
 */
export function* encodeChunks(pieces: Iterable<string>, chunkSize: number): Generator<Uint8Array<ArrayBuffer>> {
  let buffer = new Uint8Array(chunkSize)
  let other = new Uint8Array(chunkSize)
  let filled = 0
  for (const piece of pieces) {
    for (let rest = piece; rest !== "";) {
      const { read, written } = encoder.encodeInto(rest, buffer.subarray(filled))
      filled += written
      rest = rest.slice(read)
      if (rest === "") break
      yield buffer.subarray(0, filled)
      ;[buffer, other] = [other, buffer]
      filled = 0
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled)
}
