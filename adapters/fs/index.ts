/**
 * What effect-oss does with a file system: names only.
 *
 * @module effect-oss/fs
 */
export * as FsCheckpointStore from "./FsCheckpointStore.ts"
export * as FsOutbox from "./FsOutbox.ts"
