/**
 * Sizes of images from the first bytes of their files.
 */
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as ImageInfo from "../../../../adapters/emulator/callback/ImageInfo.ts"

const ascii = (text: string): Buffer => Buffer.from(text, "latin1")
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex")
const u32 = (...numbers: ReadonlyArray<number>): Buffer => {
  const bytes = Buffer.alloc(numbers.length * 4)
  numbers.forEach((number, i) => bytes.writeUInt32BE(number, i * 4))
  return bytes
}
const box = (name: string, ...content: ReadonlyArray<Uint8Array>): Buffer => {
  const body = Buffer.concat(content)
  return Buffer.concat([u32(body.length + 8), ascii(name), body])
}

/** Three pixels wide, two high: only what readers look at, by the formats' specifications. */
const png = Buffer.concat([hex("89504e470d0a1a0a"), box("IHDR", u32(3, 2), hex("0806000000"))])
const gif = Buffer.concat([ascii("GIF89a"), hex("0300 0200 000000")])
const bmp = Buffer.concat([ascii("BM"), Buffer.alloc(16), hex("03000000 feffffff")]) // a height below 0: top-down
const webp = Buffer.concat([
  ascii("RIFF"),
  u32(0),
  ascii("WEBPVP8 "),
  u32(0),
  hex("000000 9d012a 0300 0200"),
  Buffer.alloc(10)
])
const jpgOf = (before: Uint8Array): Buffer =>
  Buffer.concat([hex("ffd8"), before, hex("ffc0 0011 08 0002 0003 03"), Buffer.alloc(12)])
const jpg = jpgOf(hex("ffe0 0010 4a46494600010100000100010000"))
const tiff = Buffer.concat([
  ascii("II"),
  hex("2a00 08000000 0200"),
  hex("0001 0300 01000000 03000000"),
  hex("0101 0300 01000000 02000000"),
  Buffer.alloc(16)
])
const ispe = (width: number, height: number): Buffer => box("ispe", u32(0, width, height))
const heicOf = (brand: string, ...sizes: ReadonlyArray<Uint8Array>): Buffer =>
  Buffer.concat([
    box("ftyp", ascii(brand), u32(0), ascii(brand)),
    box("meta", u32(0), box("iprp", box("ipco", ...sizes)))
  ])
const heic = heicOf("heic", ispe(1, 1), ispe(3, 2))

const all = { png, gif, bmp, webp, jpg, tiff, heic }

const padding = (length: number) =>
  Buffer.concat(Array.from({ length }, () => Buffer.concat([hex("ffe1ffff"), Buffer.alloc(0xfffd)])))

describe("an image", () => {
  it.each(Object.entries(all))("of format %s has a size", (format, bytes) => {
    expect(ImageInfo.read(bytes)).toEqual({ format, width: 3, height: 2 })
  })

  it("of HEIC may call itself mif1; AVIF is not on OSS's list", () => {
    expect(ImageInfo.read(heicOf("mif1", ispe(3, 2)))?.format).toBe("heic")
    expect(ImageInfo.read(heicOf("avif", ispe(3, 2)))).toBeUndefined()
  })

  it.each([
    ["nothing", Buffer.alloc(0)],
    ["text", ascii("hello")],
    ["SVG", ascii('<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>')],
    ["ICO", hex("00000100 0100 0302 0000 0100 2000 00000000 00000000")],
    ["PSD", Buffer.concat([ascii("8BPS"), hex("0001 000000000000 0003 00000002 00000003")])]
  ])("is not what %s is", (_, bytes) => {
    expect(ImageInfo.read(bytes)).toBeUndefined()
  })

  it("whose size stands beyond the bytes that are looked at has none", () => {
    expect(ImageInfo.read(jpgOf(padding(3)))).toEqual({ format: "jpg", width: 3, height: 2 })
    expect(ImageInfo.read(jpgOf(padding(4)))).toBeUndefined()
  })
})

describe("broken images", () => {
  it.each(Object.entries(all))("%s cut off anywhere has the right size or none", (_, bytes) => {
    const sizes = Array.from({ length: bytes.length }, (_, length) =>
      ImageInfo.read(Buffer.from(bytes.subarray(0, length)))
    )
    expect(sizes.filter((info) => info !== undefined && (info.width !== 3 || info.height !== 2))).toEqual([])
  })

  it("are not read beyond their end, whatever lies there in memory", () => {
    const inside = Buffer.concat([png, Buffer.alloc(16)])
    expect(ImageInfo.read(inside.subarray(0, 20))).toBeUndefined()
  })

  it("never throw: 10,000 mutations", () => {
    const mutated = FastCheck.tuple(
      FastCheck.constantFrom(...Object.values(all)),
      FastCheck.array(FastCheck.tuple(FastCheck.nat(80), FastCheck.nat(255)), { maxLength: 8 }),
      FastCheck.uint8Array({ maxLength: 40 })
    ).map(([bytes, changes, tail]) => {
      const copy = Buffer.concat([bytes, tail])
      for (const [at, value] of changes) copy[at % copy.length] = value
      return copy
    })
    FastCheck.assert(
      FastCheck.property(mutated, (bytes) => {
        const info = ImageInfo.read(bytes)
        return info === undefined || (info.width > 0 && info.height > 0)
      }),
      { numRuns: 10_000 }
    )
  })

  it("that are hostile take no more than a moment", () => {
    const many = heicOf("heic", ...Array.from({ length: 13_000 }, () => ispe(1, 1)))
    const noise = Buffer.concat([hex("ffd8ffe0"), Buffer.alloc(ImageInfo.prefixBytes)])
    const started = performance.now()
    for (const bytes of [many, noise]) ImageInfo.read(bytes)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
