/**
 * Every error has a tag of its own: `catchTag` must be able to tell any two apart.
 */
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

const tags = ["core", "adapters"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const text = readFileSync(join(root, folder, file), "utf8")
      return [...text.matchAll(/TaggedError(?:<\w+>\(\))?\("(\w+)"/g)].map((match) => ({ tag: match[1]!, file }))
    })
)

it("error tags are unique", () => {
  const seen = new Set<string>()
  const twice = tags.filter(({ tag }) => (seen.has(tag) ? true : void seen.add(tag)))
  expect(tags.length).toBeGreaterThan(9)
  expect(twice).toEqual([])
})

it("the errors of the core stand on one page", () => {
  expect(tags.filter(({ file }) => file.endsWith("OssError.ts")).map(({ tag }) => tag)).toEqual([
    "InvalidParam",
    "CredentialsError",
    "SourceError",
    "TransportError",
    "ServiceError",
    "UnexpectedResponse",
    "Crc64Mismatch",
    "CheckpointError",
    "StoreError",
    "CallbackFailed",
    "CallbackRejected"
  ])
})

const text = (file: string) => readFileSync(join(root, file), "utf8")
const declared = text("core/model/OssError.ts")

/** The reasons of each tag of the core: where its class lists them, or names the type that does. */
const reasons = declared
  .split("export class ")
  .slice(1)
  .flatMap((code) => {
    const tag = /^\w+/.exec(code)![0]
    const type = /readonly reason: (.+)/.exec(code)?.[1] ?? ""
    const union = new RegExp(`export type ${type} =([^/]+?)\\n\\n`).exec(declared)?.[1] ?? type
    return [...union.matchAll(/"(\w+)"/g)].map(([, reason]) => ({ tag, reason: reason! }))
  })

it("the README's table has a row for every error of the core", () => {
  const rows = [...text("README.md").matchAll(/^\| `(\w+)` +\|/gm)].map(([, tag]) => tag)
  const own = tags.filter(({ file }) => file.endsWith("OssError.ts"))
  expect(own.map(({ tag }) => tag).filter((tag) => !rows.includes(tag))).toEqual([])
})

it("the error page tells of every tag, and what to do for each of its reasons", () => {
  expect(reasons.length).toBeGreaterThan(30)
  const page = text("core/ERRORS.md")
  const rows = page.split("\n").filter((line) => line.startsWith("|"))
  const cells = (row: string) => row.split("|").map((cell) => cell.trim())
  const missing = reasons.filter(({ tag, reason }) => {
    const from = rows.findIndex((row) => cells(row)[1] === `\`${tag}\``)
    const to = rows.findIndex((row, index) => index > from && cells(row)[1] !== "")
    // The receiver's reasons have a table to themselves.
    const own = from < 0 ? rows.map((row) => cells(row)[1]!) : rows.slice(from, to).map((row) => cells(row)[2]!)
    return !own.some((cell) => cell.includes(`\`${reason}\``))
  })
  expect(missing).toEqual([])
  expect(tags.filter(({ file, tag }) => file.endsWith("OssError.ts") && !page.includes(`\`${tag}\``))).toEqual([])
})
