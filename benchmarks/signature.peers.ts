/**
 * The peers of signature.bench.ts, each by its public API.
 *
 * ali-oss signs for OSS. minio, aws4fetch and @smithy/signature-v4 sign for S3: the same request with S3's host and names,
 * an algorithm of the same steps, but with the host among the signed headers. Signing keys: aws4fetch and smithy keep them,
 * ali-oss and minio derive them each time. Peers that take no date use the current one. No peer signs many parts at once:
 * they sign one URL per call.
 */
import type { Contestant } from "./Harness.ts"
import * as Peers from "./Peers.ts"
import { aws4fetch, smithy } from "./signature.aws.ts"
import {
  datetime,
  given,
  host,
  isoExpiration,
  partNumbers,
  path,
  type Peer,
  policyDocument,
  unsigned
} from "./signature.given.ts"

export interface SignatureContestants {
  readonly headers: ReadonlyArray<Contestant>
  readonly presign: ReadonlyArray<Contestant>
  readonly presignPart: ReadonlyArray<Contestant>
  readonly policy: ReadonlyArray<Contestant>
  /** ali-oss's `Authorization` for the UploadPart. */
  readonly authorization?: string
}

export const none: SignatureContestants = { headers: [], presign: [], presignPart: [], policy: [] }

interface AliOss {
  readonly default: new (options: object) => {
    authorizationV4(method: string, request: object, bucket: string, key: string): string
    signatureUrlV4(method: string, expires: number, request: object, key: string): Promise<string>
    signPostObjectPolicyV4(policy: object, date: Date): string
  }
}

const aliOss = async (): Promise<Peer> => {
  const { default: Client } = await Peers.load<AliOss>("ali-oss")
  const { accessKeyId, accessKeySecret, bucket, contentType, expiresIn, key, region, uploadId } = given
  const client = new Client({ accessKeyId, accessKeySecret, bucket, region: `oss-${region}`, authorizationV4: true })
  const sign = () =>
    client.authorizationV4(
      "PUT",
      {
        headers: {
          "content-type": contentType,
          "content-length": "8388608",
          "x-oss-date": datetime,
          "x-oss-content-sha256": unsigned
        },
        queries: { partNumber: "3", uploadId }
      },
      bucket,
      key
    )
  const next = partNumbers()
  const headers = { "content-type": contentType }
  const date = new Date(given.time)
  const credential = `${accessKeyId}/${datetime.slice(0, 8)}/${region}/oss/aliyun_v4_request`
  const policy = () => {
    const document = policyDocument("oss", "OSS4-HMAC-SHA256", credential)
    // It returns the signature alone, so the base64 is made once more, as its user must.
    return [Buffer.from(JSON.stringify(document)).toString("base64"), client.signPostObjectPolicyV4(document, date)]
  }
  return {
    name: "ali-oss",
    sign,
    presign: () => client.signatureUrlV4("PUT", expiresIn, { headers }, key),
    presignPart: () => client.signatureUrlV4("PUT", expiresIn, { queries: { partNumber: next(), uploadId } }, key),
    policy
  }
}

interface MinioPolicy {
  setBucket(bucket: string): void
  setKeyStartsWith(prefix: string): void
  setContentType(type: string): void
  setContentLengthRange(min: number, max: number): void
  setExpires(date: Date): void
}

interface Minio {
  readonly Client: new (options: object) => {
    presignedUrl(method: string, bucket: string, key: string, expires: number, query: object): Promise<string>
    newPostPolicy(): MinioPolicy
    presignedPostPolicy(policy: MinioPolicy): Promise<object>
  }
}

interface MinioSigning {
  signV4(request: object, id: string, secret: string, region: string, date: Date, payloadHash: string): string
}

const minio = async (): Promise<Peer> => {
  const { Client } = await Peers.load<Minio>("minio")
  const { signV4 } = await Peers.load<MinioSigning>("minio/dist/esm/signing.mjs")
  const { accessKeyId, accessKeySecret, bucket, contentType, expiresIn, key, region, uploadId } = given
  const client = new Client({ endPoint: host, accessKey: accessKeyId, secretKey: accessKeySecret, region })
  const date = new Date(given.time)
  const next = partNumbers()
  const sign = () => {
    const headers = { host, "content-type": contentType, "x-amz-date": datetime, "x-amz-content-sha256": unsigned }
    const request = { method: "PUT", path: `${path}?partNumber=3&uploadId=${uploadId}`, headers }
    return signV4(request, accessKeyId, accessKeySecret, region, date, unsigned)
  }
  const policy = () => {
    const policy = client.newPostPolicy()
    policy.setBucket(bucket)
    policy.setKeyStartsWith(given.prefix)
    policy.setContentType(contentType)
    policy.setContentLengthRange(1, given.maxSize)
    policy.setExpires(new Date(isoExpiration))
    return client.presignedPostPolicy(policy)
  }
  return {
    name: "minio (S3)",
    sign,
    presign: () => client.presignedUrl("PUT", bucket, key, expiresIn, {}),
    presignPart: () => client.presignedUrl("PUT", bucket, key, expiresIn, { partNumber: next(), uploadId }),
    policy
  }
}

/** All peers, loaded. */
export const make = async (): Promise<SignatureContestants> => {
  const ali = await aliOss()
  const all = [ali, await smithy(), await aws4fetch(), await minio()]
  return {
    headers: all.map(({ name, sign }) => ({ name, run: sign })),
    presign: all.map(({ name, presign }) => ({ name, run: presign })),
    presignPart: all.map(({ name, presignPart }) => ({ name, run: presignPart })),
    policy: all.flatMap(({ name, policy }) => (policy === undefined ? [] : [{ name, run: policy }])),
    authorization: String(ali.sign())
  }
}
