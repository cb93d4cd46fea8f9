/**
 * The adapter for @effect/platform: names only.
 *
 * @module effect-oss/platform
 */
export * as CallbackRoute from "./CallbackRoute.ts"
export * as FileSystemSource from "./FileSystemSource.ts"
export * as KeyValueReplayGuard from "./KeyValueReplayGuard.ts"
export * as PlatformTransport from "./PlatformTransport.ts"
