/**
 * What signature.bench.ts gives all contestants to sign, and what a peer answers to. Pure data.
 *
 * Sizes in bytes, `expiresIn` in seconds, `time` in milliseconds since 1970.
 */
export const given = {
  accessKeyId: "LTAI5tExampleExample1234",
  accessKeySecret: "ExampleSecretExampleSecret1234",
  region: "cn-hangzhou",
  bucket: "media",
  key: "videos/u_42/holiday at the sea.mp4",
  prefix: "videos/u_42/",
  contentType: "video/mp4",
  uploadId: "0004B9894A22E5B1888A1E29F8236E2D",
  maxSize: 5_242_880,
  expiresIn: 3600,
  time: Date.UTC(2026, 6, 15, 9, 30, 45)
}
export const isoExpiration = new Date(given.time + given.expiresIn * 1000).toISOString()

/** `given.time` as both algorithms write it: 20260715T093045Z. */
export const datetime = new Date(given.time).toISOString().replace(/[:-]|\.\d{3}/g, "")
/** Of the S3 clients' requests. */
export const host = `${given.bucket}.s3.${given.region}.example.com`
export const path = `/${encodeURIComponent(given.key).replaceAll("%2F", "/")}`
export const unsigned = "UNSIGNED-PAYLOAD"

/** 1 to 10,000, in turns. */
export const partNumbers = () => {
  let last = 0
  return () => String((last = (last % 10_000) + 1))
}

/** The policy's conditions in `dialect`'s names. */
export const policyDocument = (dialect: "oss" | "amz", algorithm: string, credential: string) => ({
  expiration: isoExpiration,
  conditions: [
    ["eq", "$bucket", given.bucket],
    ["eq", dialect === "oss" ? "$x-oss-signature-version" : "$x-amz-algorithm", algorithm],
    ["eq", `$x-${dialect}-credential`, credential],
    ["eq", `$x-${dialect}-date`, datetime],
    ["starts-with", "$key", given.prefix],
    ["content-length-range", 1, given.maxSize],
    ["eq", "$content-type", given.contentType]
  ]
})

/** One peer: each member is one call. No `policy` where the peer has no means for it. */
export interface Peer {
  readonly name: string
  readonly sign: () => unknown
  readonly presign: () => unknown
  readonly presignPart: () => unknown
  readonly policy: (() => unknown) | undefined
}
