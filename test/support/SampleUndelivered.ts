/** A callback that waits to be delivered, one for each moment. */
import * as Either from "effect/Either"
import * as ObjectKey from "../../core/model/ObjectKey.ts"
import type { Undelivered } from "../../core/model/Undelivered.ts"

/** `since` in milliseconds since 1970; it makes the ID. */
export const undelivered = (since: number): Undelivered => ({
  version: 1,
  id: since.toString(16).padStart(64, "0"),
  urls: ["https://api.example.com/oss/video?token=t"],
  host: undefined,
  contentType: "application/x-www-form-urlencoded",
  body: "object=%E6%97%A5.mp4&bucket=media",
  since,
  stored: {
    method: "multipart",
    bucket: "media",
    key: Either.getOrThrow(ObjectKey.make("日.mp4")),
    size: 5_000_000_000,
    etag: "5B3C1A2E053D763E1B002CC607C5A0FE-596",
    crc64: 2n ** 64n - 1n,
    versionId: undefined,
    requestId: "65A1B2C3D4E5F60718293A4B",
    callback: undefined
  }
})
