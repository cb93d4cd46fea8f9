/** OSS on your own machine, for tests and for development: names only. */
export * as OssEmulator from "./OssEmulator.ts"
