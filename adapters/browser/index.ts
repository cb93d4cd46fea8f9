/**
 * Uploads from a page, without keys: for people who do not use Effect, and as `BrowserUpload` for those who do. Names only.
 *
 * @module effect-oss/browser
 */
export * as BrowserUpload from "./BrowserUpload.ts"
export type { Store } from "./Memory.ts"
export { fingerprint } from "./Memory.ts"
export type { Options, Progress, State } from "./Options.ts"
export { upload, uploadForm, uploadPresigned, type Grant, type Task } from "./Task.ts"
export type { Uploaded } from "./Uploaded.ts"
export { UploadFailed, type Code, type Details } from "./UploadFailed.ts"
