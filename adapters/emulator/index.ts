/**
 * OSS on your own machine, for tests and for development: names only.
 *
 * @module effect-oss/emulator
 */
export * as OssEmulator from "./OssEmulator.ts"
