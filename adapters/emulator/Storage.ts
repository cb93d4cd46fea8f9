/**
 * The data folder: buckets, objects, uploads and their bytes; all of it survives a kill at any instruction.
 *
 *     bodies/<2 hex>/<32 hex>                          bytes, written once, never changed
 *     buckets/<name>/bucket.json                       State.Bucket
 *     buckets/<name>/objects/<2 hex>/<sha-256>.json    State.ObjectRecord, by the SHA-256 of the key
 *     buckets/<name>/uploads/<id>/upload.json, <n>.json    State.Upload, State.Part
 *     tmp/                                             documents being written
 *
 * A change is one rename of one document; bytes are on disk before the document that names them, and are removed after the
 * last document that names them is gone. So a reader sees one whole object or another, and what a crash leaves behind is
 * only unnamed files, which the next start sweeps up. All documents are held in memory as well (about 1 KB an object);
 * bytes never are. Two emulators must not share a folder.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import * as Path from "node:path"
import * as Body from "./Body.ts"
import * as Files from "./Files.ts"
import type * as Http from "./Http.ts"
import * as KeyLock from "./KeyLock.ts"
import * as Recovery from "./Recovery.ts"
import type * as State from "./State.ts"
import type { BucketState, UploadState } from "./State.ts"

export interface Service {
  readonly buckets: () => ReadonlyArray<State.Bucket>
  readonly bucket: (name: string) => State.Bucket | undefined
  /** Creates or replaces a bucket's document. */
  readonly putBucket: (bucket: State.Bucket) => Effect.Effect<void>
  /** The bucket must be empty. */
  readonly removeBucket: (name: string) => Effect.Effect<void>
  readonly object: (bucket: string, key: string) => State.ObjectRecord | undefined
  readonly objects: (bucket: string) => Iterable<State.ObjectRecord>
  /** Stores an object in place of the one before. Its bytes must be on disk; those of the one before are let go. */
  readonly putObject: (bucket: string, record: State.ObjectRecord) => Effect.Effect<void>
  readonly removeObject: (bucket: string, key: string) => Effect.Effect<void>
  readonly upload: (bucket: string, uploadId: string) => UploadState | undefined
  readonly uploads: (bucket: string) => Iterable<UploadState>
  readonly putUpload: (bucket: string, upload: State.Upload) => Effect.Effect<void>
  readonly putPart: (bucket: string, uploadId: string, part: State.Part) => Effect.Effect<void>
  /** Forgets an upload; bytes of parts that no object names are let go. */
  readonly removeUpload: (bucket: string, uploadId: string) => Effect.Effect<void>
  /** Runs the effect while nobody else holds the same key; everything that changes an object or an upload does. */
  readonly locked: (bucket: string, key: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Writes a body to a file that nothing names yet. */
  readonly receive: (
    body: Http.Incoming,
    maxBytes: number
  ) => Effect.Effect<Body.Received, Body.BodyBroken | Body.BodyTooLong>
  /** Lets go of a received body that will not be named. */
  readonly discard: (file: string) => Effect.Effect<void>
  /** Keeps the bytes of an object readable until the scope closes, whoever replaces or deletes it meanwhile. */
  readonly pin: (record: State.ObjectRecord) => Effect.Effect<void, never, Scope.Scope>
  /** Where a body's file lies. */
  readonly path: (file: string) => string
}

export class Storage extends Context.Tag("effect-oss/emulator/Storage")<Storage, Service>() {}

const hash = (key: string): string => NodeCrypto.createHash("sha256").update(key).digest("hex")

/** Opens a data folder, creating it if there is none, and removes what a crash has left behind. */
export const open = (root: string, durable: boolean): Effect.Effect<Service> =>
  Effect.gen(function* () {
    const files = Files.make(root, durable)
    for (const folder of [root, Files.bodies, Files.temporary, "buckets"]) {
      yield* files.ensureFolder(Path.resolve(root, folder))
    }
    const buckets = yield* Recovery.load(files)
    return make(files, buckets)
  })

const make = (files: Files.Files, state: Map<string, BucketState>): Service => {
  const folder = (bucket: string, ...rest: ReadonlyArray<string>) => Path.join(files.root, "buckets", bucket, ...rest)
  const objectPath = (bucket: string, key: string) => {
    const name = hash(key)
    return folder(bucket, "objects", name.slice(0, 2), `${name}.json`)
  }
  const uploadFolder = (bucket: string, uploadId: string) => folder(bucket, "uploads", uploadId)
  const at = (bucket: string): BucketState => {
    const found = state.get(bucket)
    if (found === undefined) throw new Error(`no bucket "${bucket}"`)
    return found
  }
  const write = (path: string, document: unknown) => files.writeDocument(path, JSON.stringify(document))

  const pins = new Map<string, { readers: number; doomed: boolean }>()
  const letGo = (file: string): Effect.Effect<void> => {
    const pin = pins.get(file)
    if (pin === undefined) return files.removeBody(file)
    pin.doomed = true
    return Effect.void
  }
  const letGoAll = (names: Iterable<string>) => Effect.forEach(names, letGo, { discard: true })
  const unpin = (file: string): Effect.Effect<void> => {
    const pin = pins.get(file)
    if (pin === undefined) return Effect.void
    pin.readers--
    if (pin.readers > 0) return Effect.void
    pins.delete(file)
    return pin.doomed ? files.removeBody(file) : Effect.void
  }
  const lock = KeyLock.make()

  return {
    buckets: () => Array.from(state.values(), ({ bucket }) => bucket),
    bucket: (name) => state.get(name)?.bucket,
    putBucket: (bucket) =>
      Effect.map(write(folder(bucket.name, "bucket.json"), bucket), () => {
        const before = state.get(bucket.name)
        if (before === undefined) state.set(bucket.name, { bucket, objects: new Map(), uploads: new Map() })
        else before.bucket = bucket
      }),
    removeBucket: (name) =>
      Effect.gen(function* () {
        state.delete(name)
        yield* files.removeDocument(folder(name, "bucket.json"))
        yield* files.removeFolder(folder(name))
      }).pipe(Effect.uninterruptible),
    object: (bucket, key) => state.get(bucket)?.objects.get(key),
    objects: (bucket) => state.get(bucket)?.objects.values() ?? [],
    putObject: (bucket, record) =>
      Effect.gen(function* () {
        const { objects } = at(bucket)
        yield* write(objectPath(bucket, record.key), record)
        const before = objects.get(record.key)
        objects.set(record.key, record)
        const kept = new Set(record.segments.map(({ file }) => file))
        yield* letGoAll((before?.segments ?? []).map(({ file }) => file).filter((file) => !kept.has(file)))
      }).pipe(Effect.uninterruptible),
    removeObject: (bucket, key) =>
      Effect.gen(function* () {
        const { objects } = at(bucket)
        const before = objects.get(key)
        if (before === undefined) return
        yield* files.removeDocument(objectPath(bucket, key))
        objects.delete(key)
        yield* letGoAll(before.segments.map(({ file }) => file))
      }).pipe(Effect.uninterruptible),
    upload: (bucket, uploadId) => state.get(bucket)?.uploads.get(uploadId),
    uploads: (bucket) => state.get(bucket)?.uploads.values() ?? [],
    putUpload: (bucket, upload) =>
      Effect.map(write(Path.join(uploadFolder(bucket, upload.uploadId), "upload.json"), upload), () => {
        at(bucket).uploads.set(upload.uploadId, { upload, parts: new Map() })
      }),
    putPart: (bucket, uploadId, part) =>
      Effect.gen(function* () {
        const { parts } = at(bucket).uploads.get(uploadId) ?? { parts: new Map<number, State.Part>() }
        yield* write(Path.join(uploadFolder(bucket, uploadId), `${part.partNumber}.json`), part)
        const before = parts.get(part.partNumber)
        parts.set(part.partNumber, part)
        if (before !== undefined) yield* letGo(before.file)
      }).pipe(Effect.uninterruptible),
    removeUpload: (bucket, uploadId) =>
      Effect.gen(function* () {
        const { uploads, objects } = at(bucket)
        const before = uploads.get(uploadId)
        if (before === undefined) return
        const object = objects.get(before.upload.key)
        const kept = new Set(object?.uploadId === uploadId ? object.segments.map(({ file }) => file) : [])
        // The upload's own document goes first: without it the rest is only litter.
        yield* files.removeDocument(Path.join(uploadFolder(bucket, uploadId), "upload.json"))
        uploads.delete(uploadId)
        yield* files.removeFolder(uploadFolder(bucket, uploadId))
        yield* letGoAll(Array.from(before.parts.values(), ({ file }) => file).filter((file) => !kept.has(file)))
      }).pipe(Effect.uninterruptible),
    locked: (bucket, key) => lock(`${bucket}/${key}`),
    receive: (body, maxBytes) => Body.receive(files, body, maxBytes),
    discard: letGo,
    pin: (record) =>
      Effect.forEach(
        record.segments,
        ({ file }) =>
          Effect.acquireRelease(
            Effect.sync(() => {
              const pin = pins.get(file) ?? { readers: 0, doomed: false }
              pin.readers++
              pins.set(file, pin)
            }),
            () => unpin(file)
          ),
        { discard: true }
      ),
    path: files.bodyPath
  }
}
