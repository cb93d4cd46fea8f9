/**
 * A cluster in one process, for a test: an engine in memory, an emulator on a socket, sources in memory by their paths.
 */
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Budget from "../../../adapters/cluster/budget/Budget.ts"
import * as Jobs from "../../../adapters/cluster/jobs/Jobs.ts"
import * as Runner from "../../../adapters/cluster/upload/Runner.ts"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"
import { Sources } from "../../../adapters/cluster/sources/Sources.ts"
import type { UploadRequest } from "../../../adapters/cluster/upload/UploadRequest.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import { SourceError } from "../../../core/model/OssError.ts"
import * as Source from "../../../core/ports/Source.ts"
import { client } from "../../support/Emulated.ts"

/** Bytes at a path, told apart by `seed`. */
export const content = (size: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 7) >> 3)

/** What lies at which path; tests put it there. */
export const makeFiles = () => {
  const files = new Map<string, Uint8Array>()
  const layer = Layer.succeed(Sources, {
    open: (ref) => {
      const path = SourceRef.describe(ref)
      const bytes = files.get(path)
      return bytes === undefined
        ? new SourceError({ reason: "NotFound", source: path, detail: "is not there" })
        : Effect.succeed(Source.bytes(bytes, path))
    }
  })
  return { files, layer }
}

/** The least part size of OSS, in bytes. */
export const partSize = 102_400

/** A request of parts of 100 KiB. */
export const request = (key: string, more: Partial<UploadRequest> = {}): UploadRequest => ({
  key,
  source: SourceRef.path(`/${key}`),
  options: { partSize },
  ...more
})

/** Everything but the sources: emulator, client, book, engine, runner. */
export const layer = <R = never>(
  sources: Layer.Layer<Sources, never, R>,
  options: Runner.Options = {},
  emulated: OssEmulator.ServerOptions = {}
) =>
  Runner.layer({ patience: Schedule.recurs(0), partsInRange: 2, ...options }).pipe(
    Layer.provideMerge(WorkflowEngine.layerMemory),
    Layer.provideMerge(Jobs.layerMemory),
    Layer.provideMerge(Layer.mergeAll(sources, Budget.unlimited)),
    Layer.provideMerge(Layer.unwrapEffect(Effect.map(OssEmulator.OssEmulator, (emulator) => client(emulator)))),
    Layer.provideMerge(OssEmulator.layer(emulated))
  )

/** How often each request arrived, by the API's name. */
export const counted = Effect.gen(function* () {
  const { requests } = yield* OssEmulator.OssEmulator
  const counts: Record<string, number> = {}
  for (const { operation } of yield* requests) {
    const name = operation ?? "none"
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
})
