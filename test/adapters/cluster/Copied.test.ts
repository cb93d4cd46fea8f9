/**
 * Durable uploads of what is an object of OSS already: OSS copies it, and no part passes through a runner.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SourceRef from "../../../adapters/cluster/sources/SourceRef.ts"
import * as Sources from "../../../adapters/cluster/sources/Sources.ts"
import * as UploadWorkflow from "../../../adapters/cluster/upload/UploadWorkflow.ts"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import * as CredentialsProvider from "../../../core/ports/CredentialsProvider.ts"
import * as Source from "../../../core/ports/Source.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import { content, counted, layer, partSize, request } from "./Fleet.ts"

const sources = Layer.unwrapEffect(
  Effect.map(OssEmulator.OssEmulator, ({ credentials, endpoint, region }) =>
    Sources.layer({ endpoint, region }).pipe(
      Layer.provide(Layer.merge(NodeFileSystem.layer, CredentialsProvider.layer(credentials)))
    )
  )
)

describe("an object of OSS as a durable upload's source", () => {
  it.live("is copied part by part, and proved by its own CRC-64", () =>
    Effect.gen(function* () {
      const bytes = content(5 * partSize + 3)
      yield* Upload.simple("from/here", Source.bytes(bytes))
      const source = SourceRef.object("examplebucket", "from/here")
      const receipt = yield* UploadWorkflow.workflow.execute({ job: "j", request: request("to/there", { source }) })
      assert.strictEqual(receipt.crc64, Crc64.of(bytes))
      const { object } = yield* OssEmulator.OssEmulator
      assert.deepStrictEqual(Option.getOrUndefined(yield* object("to/there")), bytes)
      const counts = yield* counted
      assert.deepStrictEqual([counts["UploadPartCopy"], counts["UploadPart"]], [6, undefined])
    }).pipe(Effect.provide(layer(sources)))
  )
})
