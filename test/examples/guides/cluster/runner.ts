import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as WorkflowEngine from "@effect/workflow/WorkflowEngine"
import { CredentialsProvider } from "effect-oss"
import { Budget, Jobs, Runner, Sources } from "effect-oss/cluster"
import { NodeCrypto, NodeOss, NodeTransport } from "effect-oss/node"
import * as Layer from "effect/Layer"
import { callbacks } from "./submit.ts"

// These two change from one process to many machines: see the table.
const EngineLive = WorkflowEngine.layerMemory
const JobsLive = Jobs.layerMemory

export const runner = (where: { bucket: string; region: string; endpoint?: string }) =>
  Runner.layer({ callbacks }).pipe(
    Layer.provideMerge(Layer.mergeAll(JobsLive, EngineLive)),
    Layer.provide(Layer.mergeAll(Budget.unlimited, Sources.layer({ region: where.region }), NodeOss.layer(where))),
    Layer.provide(
      Layer.mergeAll(NodeTransport.layer(), NodeCrypto.layer, NodeFileSystem.layer, CredentialsProvider.layerConfig)
    )
  )
