/**
 * The scenarios that official clients go through against the emulator: the one list. Each program reports on every one of
 * them, by these names.
 */

/** Name and what it means; a program may say that its client cannot do it, and why. */
export const all = {
  put: "an object from bytes, and one from a stream of unknown length",
  callback: "an object with a callback: the application server is told, and its answer comes back",
  "callback failed": "the application server answers 500: 203, CallbackFailed, and the object is stored",
  multipart: "two parts, listed, completed with a callback",
  resume: "a file in parts, the second refused once; resumed, and no part sent twice",
  presigned: "a presigned PUT with its callback in signed headers, and a presigned GET",
  form: "a form with a V4 policy: 204 without a callback, the application's answer with one",
  reading: "GET, a range, HEAD, the few facts, and what is not there",
  listing: "objects by pages with a delimiter, both versions; buckets",
  removing: "abort, delete, delete several",
  "odd keys": "emoji, dots, slashes, blanks, plus: put, get, list, delete",
  sts: "temporary credentials, and a token that is not theirs",
  "wrong secret": "403 SignatureDoesNotMatch for a large body, with what OSS has signed",
  tampered: "another callback than the signed one: 403, and nothing is stored",
  "version 1": "the signature of old clients: a callback in headers, and a signed URL"
} as const

export type Name = keyof typeof all

export const names = Object.keys(all) as ReadonlyArray<Name> // the keys just written

/** Keys that clients, proxies and URL libraries like to change. */
export const oddKeys: ReadonlyArray<string> = [
  "emoji 🎬.mp4",
  "a/../b",
  "a/./b",
  "a//b/",
  "plus+plus plus",
  "100%25 percent%",
  "中文/ü é",
  "q?x=1&y=2#z",
  "~!*'()@,;:$"
]

export type Outcome = "ok" | "failed" | "cannot"

export interface Result {
  readonly outcome: Outcome
  readonly detail: string
}
