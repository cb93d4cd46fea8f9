/**
 * Reading a data folder at the start: every document into memory, then away with what a crash has left behind.
 *
 * Left behind can be: documents half written (in tmp/), bodies no document names, an upload whose object is already
 * stored, and folders of uploads or buckets without their own document. A document that cannot be read is a defect: it was
 * not the emulator that wrote it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import * as Files from "./Files.ts"
import * as State from "./State.ts"
import type { BucketState, UploadState } from "./State.ts"

const list = async (path: string): Promise<ReadonlyArray<string>> => {
  try {
    return (await Fs.readdir(path)).sort()
  } catch (cause) {
    // Anything else must not look like an empty folder: what no document names is swept away.
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw cause
  }
}

const read = async <A, I>(schema: Schema.Schema<A, I>, path: string): Promise<A> => {
  const text = await Fs.readFile(path, "utf8")
  try {
    return Schema.decodeUnknownSync(Schema.parseJson(schema))(text)
  } catch (cause) {
    throw new Error(`${path} is not a document of the emulator`, { cause })
  }
}

const exists = async (path: string): Promise<boolean> =>
  Fs.access(path).then(
    () => true,
    () => false
  )

const loadObjects = async (folder: string): Promise<BucketState["objects"]> => {
  const objects: BucketState["objects"] = new Map()
  for (const prefix of await list(folder)) {
    for (const name of await list(Path.join(folder, prefix))) {
      const record = await read(State.ObjectRecord, Path.join(folder, prefix, name))
      objects.set(record.key, record)
    }
  }
  return objects
}

const loadUpload = async (folder: string): Promise<UploadState> => {
  const upload = await read(State.Upload, Path.join(folder, "upload.json"))
  const parts = new Map<number, State.Part>()
  for (const name of await list(folder)) {
    if (name === "upload.json") continue
    const part = await read(State.Part, Path.join(folder, name))
    parts.set(part.partNumber, part)
  }
  return { upload, parts }
}

const loadUploads = async (folder: string, objects: BucketState["objects"]): Promise<BucketState["uploads"]> => {
  const uploads: BucketState["uploads"] = new Map()
  for (const id of await list(folder)) {
    const path = Path.join(folder, id)
    const state = (await exists(Path.join(path, "upload.json"))) ? await loadUpload(path) : undefined
    // Its object is stored; only the tidying up was cut off.
    const isComplete = state !== undefined && objects.get(state.upload.key)?.uploadId === id
    if (state === undefined || isComplete) await Fs.rm(path, { recursive: true, force: true })
    else uploads.set(id, state)
  }
  return uploads
}

const namedBodies = (buckets: Iterable<BucketState>): Set<string> => {
  const named = new Set<string>()
  for (const { objects, uploads } of buckets) {
    for (const { segments } of objects.values()) for (const { file } of segments) named.add(file)
    for (const { parts } of uploads.values()) for (const { file } of parts.values()) named.add(file)
  }
  return named
}

const sweep = async (files: Files.Files, named: Set<string>): Promise<void> => {
  const temporary = Path.join(files.root, Files.temporary)
  for (const name of await list(temporary)) await Fs.rm(Path.join(temporary, name), { force: true })
  const bodies = Path.join(files.root, Files.bodies)
  for (const prefix of await list(bodies)) {
    for (const name of await list(Path.join(bodies, prefix))) {
      if (!named.has(name)) await Fs.rm(files.bodyPath(name), { force: true })
    }
  }
}

/** All buckets in the folder, by name. */
export const load = (files: Files.Files): Effect.Effect<Map<string, BucketState>> =>
  Effect.promise(async () => {
    const state = new Map<string, BucketState>()
    const root = Path.join(files.root, "buckets")
    for (const name of await list(root)) {
      const folder = Path.join(root, name)
      if (!(await exists(Path.join(folder, "bucket.json")))) {
        await Fs.rm(folder, { recursive: true, force: true })
        continue
      }
      const bucket = await read(State.Bucket, Path.join(folder, "bucket.json"))
      const objects = await loadObjects(Path.join(folder, "objects"))
      state.set(name, { bucket, objects, uploads: await loadUploads(Path.join(folder, "uploads"), objects) })
    }
    await sweep(files, namedBodies(state.values()))
    return state
  })
