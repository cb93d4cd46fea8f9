/**
 * Uploads that outlive their process, on Effect's own cluster engine: names only. README.md beside it is the guide.
 *
 * @module effect-oss/cluster
 */
export * as Budget from "./budget/Budget.ts"
export * as Callbacks from "./upload/Callbacks.ts"
export * as Copy from "./sources/Copy.ts"
export * as Jobs from "./jobs/Jobs.ts"
export * as LocalBudget from "./budget/LocalBudget.ts"
export * as ObjectSource from "./sources/ObjectSource.ts"
export * as Receipt from "./upload/Receipt.ts"
export * as Runner from "./upload/Runner.ts"
export * as SourceRef from "./sources/SourceRef.ts"
export * as Sources from "./sources/Sources.ts"
export * as SqlBudget from "./budget/SqlBudget.ts"
export * as SqlCheckpointStore from "./SqlCheckpointStore.ts"
export * as SqlJobs from "./jobs/SqlJobs.ts"
export * as UploadBatch from "./upload/UploadBatch.ts"
export * as Watchdog from "./Watchdog.ts"
export * as UploadRequest from "./upload/UploadRequest.ts"
export * as UploadWorkflow from "./upload/UploadWorkflow.ts"
