/**
 * What an upload says about its object, as options: type, metadata, access.
 */
import type * as ObjectHeaders from "../../core/wire/ObjectHeaders.ts"
import type { Options, Values } from "./Command.ts"
import * as Units from "./Units.ts"

export const options = {
  "content-type": { kind: "text", value: "TYPE", about: "default: by the key's ending" },
  "cache-control": { kind: "text", value: "TEXT", about: "the object's Cache-Control" },
  "content-disposition": { kind: "text", value: "TEXT", about: "the object's Content-Disposition" },
  "content-encoding": { kind: "text", value: "TEXT", about: "the object's Content-Encoding" },
  meta: { kind: "texts", value: "NAME=VALUE", about: "the object's own metadata, x-oss-meta-NAME" },
  tag: { kind: "texts", value: "NAME=VALUE", about: "a tag" },
  acl: {
    kind: "text",
    value: "ACL",
    about: "who may read and write",
    choices: ["default", "private", "public-read", "public-read-write"]
  },
  "storage-class": {
    kind: "text",
    value: "CLASS",
    about: "how it is kept",
    choices: ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"]
  },
  "no-overwrite": { kind: "flag", about: "fail rather than replace an object" }
} as const satisfies Options

/** As the library takes them. Throws `Usage` for what is no pair. */
export const make = (given: Values<typeof options>): ObjectHeaders.ObjectOptions => ({
  contentType: given["content-type"],
  cacheControl: given["cache-control"],
  contentDisposition: given["content-disposition"],
  contentEncoding: given["content-encoding"],
  ...(given.meta.length === 0 ? {} : { metadata: Units.pairs("--meta", given.meta) }),
  ...(given.tag.length === 0 ? {} : { tagging: Units.pairs("--tag", given.tag) }),
  acl: given.acl as ObjectHeaders.Acl | undefined, // one of its choices
  storageClass: given["storage-class"] as ObjectHeaders.StorageClass | undefined, // one of its choices
  forbidOverwrite: given["no-overwrite"]
})
