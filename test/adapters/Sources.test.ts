/** Everything that bytes of an upload can come from keeps one contract. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"
import * as Path from "node:path"
import * as BlobSource from "../../adapters/fetch/BlobSource.ts"
import * as FileSource from "../../adapters/node/FileSource.ts"
import * as FileSystemSource from "../../adapters/platform/FileSystemSource.ts"
import * as Source from "../../core/ports/Source.ts"
import { sourceContract } from "../contracts/Source.contract.ts"

const file = (content: Uint8Array): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() => Fs.mkdtemp(Path.join(Os.tmpdir(), "sources-"))),
    (folder) => Effect.promise(() => Fs.rm(folder, { recursive: true }))
  ).pipe(
    Effect.map((folder) => Path.join(folder, "video.bin")),
    Effect.tap((path) => Effect.promise(() => Fs.writeFile(path, content)))
  )

sourceContract("Source.bytes", (content) => Effect.succeed(Source.bytes(content)))
sourceContract("BlobSource", (content) => Effect.sync(() => BlobSource.make(new Blob([Uint8Array.from(content)]))))
sourceContract("FileSource", (content) => Effect.flatMap(file(content), FileSource.make))
sourceContract("FileSystemSource", (content) =>
  Effect.flatMap(file(content), FileSystemSource.make).pipe(Effect.provide(NodeFileSystem.layer))
)
