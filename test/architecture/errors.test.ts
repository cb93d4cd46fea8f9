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
