/** The parts that are at the server, kept until the upload is completed: an upload has up to 10,000. */
import * as Option from "effect/Option"
import * as Crc64 from "../../model/Crc64.ts"
import * as Utf8 from "../../model/Utf8.ts"

/** A part that is at the server, proved by its CRC-64. */
export interface SentPart {
  readonly number: number
  /** Bytes. */
  readonly size: number
  readonly etag: string
  readonly crc64: bigint
}

/** Parts in the order of their numbers. */
export interface SentParts extends Iterable<SentPart> {
  /** Keeps a part, in any order. Of a number, the last counts. */
  readonly add: (part: SentPart) => void
}

/**
 * None as yet. Of a part some 70 bytes stay, most of it its ETag; as objects they were 200, and V8's collections copied each
 * of them twice.
 */
export const make = (): SentParts => {
  const etags: Array<string | undefined> = []
  let sizes = new Float64Array(64)
  let crcs = new BigUint64Array(64)
  const reach = (count: number): void => {
    if (count <= sizes.length) return
    const [shorterSizes, shorterCrcs] = [sizes, crcs]
    sizes = new Float64Array(2 * count)
    sizes.set(shorterSizes)
    crcs = new BigUint64Array(2 * count)
    crcs.set(shorterCrcs)
  }
  return {
    add: ({ crc64, etag, number, size }) => {
      reach(number + 1)
      etags[number] = copied(etag)
      sizes[number] = size
      crcs[number] = crc64
    },
    *[Symbol.iterator]() {
      for (let number = 1; number < etags.length; number++) {
        const etag = etags[number]
        if (etag !== undefined) yield { number, size: sizes[number]!, etag, crc64: crcs[number]! } // as long as `etags`
      }
    }
  }
}

/** V8 makes a piece of a text a view, which keeps all of the text: of an ETag, its header with the quotes. */
const copied = (text: string): string => Option.getOrElse(Utf8.decode(Utf8.encode(text)), () => text)

/** CRC-64 of the object that the parts make, in their order. */
export const combinedCrc64 = (parts: Iterable<Pick<SentPart, "crc64" | "size">>): bigint => {
  let whole = 0n
  for (const { crc64, size } of parts) whole = Crc64.combine(whole, crc64, size)
  return whole
}
