/**
 * Uploads that outlive their process, on Effect's own cluster engine: names only. README.md beside it is the guide.
 *
 * @module effect-oss/cluster
 */
export * as Budget from "./Budget.ts"
export * as Callbacks from "./Callbacks.ts"
export * as Copy from "./Copy.ts"
export * as Jobs from "./Jobs.ts"
export * as LocalBudget from "./LocalBudget.ts"
export * as ObjectSource from "./ObjectSource.ts"
export * as Receipt from "./Receipt.ts"
export * as Runner from "./Runner.ts"
export * as SourceRef from "./SourceRef.ts"
export * as Sources from "./Sources.ts"
export * as SqlBudget from "./SqlBudget.ts"
export * as SqlCheckpointStore from "./SqlCheckpointStore.ts"
export * as SqlJobs from "./SqlJobs.ts"
export * as UploadBatch from "./UploadBatch.ts"
export * as Watchdog from "./Watchdog.ts"
export * as UploadRequest from "./UploadRequest.ts"
export * as UploadWorkflow from "./UploadWorkflow.ts"
