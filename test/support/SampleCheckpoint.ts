/** Checkpoints to save and to find again. */
import * as Checkpoint from "../../core/model/Checkpoint.ts"

export const destination: Checkpoint.Destination = {
  origin: "https://media.oss-cn-hangzhou.aliyuncs.com",
  bucket: "media",
  key: "videos/holiday.mp4"
}

export const identity = Checkpoint.identity(destination)

/** A checkpoint with so many parts; `created` tells it from others, and stands in every part. */
export const checkpoint = (created: number, parts = 3): Checkpoint.Checkpoint => ({
  ...Checkpoint.make({
    ...destination,
    fingerprint: "holiday.mp4",
    size: 102_400 * Math.max(1, parts),
    partSize: 102_400,
    options: "9f86d081",
    uploadId: "0004B9894A22E5B1888A1E29F8236E2D",
    created
  }),
  parts: Array.from({ length: parts }, (_, i) => ({
    number: i + 1,
    size: 102_400,
    etag: `${created}-${i}`,
    crc64: 2n ** 64n - 1n - BigInt(i)
  }))
})
