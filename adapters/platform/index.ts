/** The adapter for @effect/platform: names only. */
export * as FileSystemSource from "./FileSystemSource.ts"
export * as PlatformTransport from "./PlatformTransport.ts"
