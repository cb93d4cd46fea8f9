/**
 * Size and format of an image, from the first bytes of its file: what `${imageInfo.*}` stands for. Pure, and never throws.
 *
 * Only the formats OSS lists: JPG PNG BMP GIF WebP TIFF HEIC; nothing for all others. Sizes are in pixels, as the file
 * has them: not turned by EXIF. Of a HEIC with several images, the one with the most pixels counts. Reading is the work of
 * image-size, of which only these seven readers run: among the others is one for SVG, which searches with regular expressions.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import { BMP } from "image-size/types/bmp"
import { GIF } from "image-size/types/gif"
import { HEIF } from "image-size/types/heif"
import { JPG } from "image-size/types/jpg"
import { PNG } from "image-size/types/png"
import { TIFF } from "image-size/types/tiff"
import { WEBP } from "image-size/types/webp"

/**
 * How many bytes of a file are worth reading. JPEG keeps its size behind EXIF and colour profiles (up to 64 KiB each), TIFF
 * wherever it likes: of an image whose size stands beyond, nothing is known.
 */
export const prefixBytes = 256 * 1024

// image-size searches a HEIC from the start again for each image in it, so a hostile one takes time quadratic in its length.
const heicBytes = 32 * 1024

export interface ImageInfo {
  readonly format: "jpg" | "png" | "bmp" | "gif" | "webp" | "tiff" | "heic"
  readonly width: number
  readonly height: number
}

const readers = [
  ["png", PNG],
  ["jpg", JPG],
  ["gif", GIF],
  ["webp", WEBP],
  ["bmp", BMP],
  ["tiff", TIFF],
  ["heic", HEIF]
] as const

/** Reads the first bytes of a file, of which no more than `prefixBytes` are looked at. */
export const read = (prefix: Uint8Array): ImageInfo | undefined => {
  // A copy, because image-size reads through the underlying buffer, and a Buffer's may hold other data beyond its end.
  const bytes = new Uint8Array(prefix.subarray(0, prefixBytes))
  for (const [format, reader] of readers) {
    try {
      if (!reader.validate(bytes)) continue
      const { type, images, ...own } = reader.calculate(format === "heic" ? bytes.slice(0, heicBytes) : bytes)
      if (type === "avif") return undefined
      const { width, height } = (images ?? []).reduce(
        (largest, image) => (image.width * image.height > largest.width * largest.height ? image : largest),
        own
      )
      return isPixels(width) && isPixels(height) ? { format, width, height } : undefined
    } catch {
      // Too short or broken: no other format begins like this one.
      return undefined
    }
  }
  return undefined
}

const isPixels = (n: number): boolean => Number.isSafeInteger(n) && n > 0
