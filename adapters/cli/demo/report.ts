/**
 * How the demo shows its uploads: a table for people, or one JSON object a line for programs.
 */
import Table from "cli-table3"
import * as Bytes from "../../../core/model/Bytes.ts"
import type { CallbackFailed } from "../../../core/model/OssError.ts"
import type { Method, Uploaded } from "../../../core/model/Uploaded.ts"

/** One upload: its receipt, and what became of its callback. */
export interface Row {
  readonly method: Method
  readonly key: string
  readonly size: number
  readonly etag: string
  readonly crc64: string
  readonly callback: unknown
}

const row = (uploaded: Uploaded<unknown>, callback: unknown): Row => ({
  method: uploaded.method,
  key: uploaded.key,
  size: uploaded.size,
  etag: uploaded.etag,
  crc64: String(uploaded.crc64),
  callback
})

export const delivered = (uploaded: Uploaded<unknown>): Row => row(uploaded, uploaded.callback)

/** Stored all the same: the receipt is in the error. */
export const failed = ({ stored, reason, detail }: CallbackFailed): Row => row(stored, { failed: reason, detail })

/** What `callback` says, short enough for a cell. */
const inWords = (callback: unknown): string => {
  if (typeof callback !== "object" || callback === null) return "none asked for"
  return Object.entries(callback)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n")
}

export const table = (rows: ReadonlyArray<Row>): string => {
  const lines = new Table({
    head: ["method", "key", "size", "ETag", "CRC-64", "the application answered"],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [null, null, null, 19, null, 36]
  })
  for (const { method, key, size, etag, crc64, callback } of rows) {
    lines.push([
      method,
      key,
      Bytes.format(size),
      etag.length > 17 ? `${etag.slice(0, 16)}…` : etag,
      crc64,
      inWords(callback)
    ])
  }
  return lines.toString()
}
