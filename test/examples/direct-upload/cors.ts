/**
 * The cross-origin rule that a bucket needs for pages of one origin to upload to it.
 */
export const cors = (origin: string) => [
  {
    allowedOrigins: [origin],
    allowedMethods: ["POST", "PUT"],
    allowedHeaders: ["content-type", "x-oss-*"],
    // What the page checks and shows: without these it cannot compare CRC-64s, nor name a request to Alibaba's support.
    exposeHeaders: ["ETag", "x-oss-hash-crc64ecma", "x-oss-request-id", "x-oss-ec"],
    maxAgeSeconds: 600
  }
]
