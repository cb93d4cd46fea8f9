/**
 * Numbers of bytes, spelled with their unit: `Bytes.MiB(8)`. Pure.
 */

/** n kibibytes (1,024 bytes each) as a number of bytes. */
export const KiB = (n: number): number => n * 1024
/** n mebibytes (1,048,576 bytes each) as a number of bytes. */
export const MiB = (n: number): number => n * 1024 ** 2
/** n gibibytes (1,073,741,824 bytes each) as a number of bytes. */
export const GiB = (n: number): number => n * 1024 ** 3

/** A number of bytes for people: `512 B`, `1.5 KiB`, `8.0 MiB`. Never for parsing. */
export const format = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  const units = ["KiB", "MiB", "GiB", "TiB"]
  let value = bytes / 1024
  let unit = 0
  // What would be rounded to 1024.0 is 1.0 of the next unit.
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1)} ${units[unit]}`
}
