/** What effect-oss does with a file system: names only. */
export * as FsCheckpointStore from "./FsCheckpointStore.ts"
export * as FsOutbox from "./FsOutbox.ts"
