/**
 * aws4fetch and @smithy/signature-v4 as peers of signature.bench.ts; they sign for S3, and keep their signing keys.
 *
 * aws4fetch cannot sign a form's policy. smithy is given node:crypto's SHA-256, as the AWS SDK does on Node.
 */
import * as Crypto from "node:crypto"
import * as Peers from "./Peers.ts"
import { datetime, given, host, partNumbers, path, type Peer, policyDocument, unsigned } from "./signature.given.ts"

interface Aws4Fetch {
  readonly AwsV4Signer: new (options: object) => { sign(): Promise<object> }
}

export const aws4fetch = async (): Promise<Peer> => {
  const { AwsV4Signer } = await Peers.load<Aws4Fetch>("aws4fetch")
  const { accessKeyId, accessKeySecret: secretAccessKey, contentType, expiresIn, region, uploadId } = given
  const common = { method: "PUT", accessKeyId, secretAccessKey, region, service: "s3", datetime, cache: new Map() }
  const next = partNumbers()
  const signPart = (number: string, options: object) =>
    new AwsV4Signer({ ...common, ...options, url: `https://${host}${path}?partNumber=${number}&uploadId=${uploadId}` })
  const url = `https://${host}${path}`
  const expires = `X-Amz-Expires=${expiresIn}`
  const headers = { "content-type": contentType }
  return {
    name: "aws4fetch (S3)",
    sign: () => signPart("3", { headers, allHeaders: true }).sign(),
    presign: () =>
      new AwsV4Signer({ ...common, url: `${url}?${expires}`, headers, allHeaders: true, signQuery: true }).sign(),
    presignPart: () => signPart(`${next()}&${expires}`, { signQuery: true }).sign(),
    policy: undefined
  }
}

interface Smithy {
  readonly SignatureV4: new (options: object) => {
    sign(request: object | string, options: object): Promise<unknown>
    presign(request: object, options: object): Promise<unknown>
  }
}

/** SHA-256 and HMAC-SHA256 in the shape that smithy asks for. */
class NodeSha256 {
  readonly #hash: Crypto.Hash | Crypto.Hmac
  constructor(secret?: Crypto.BinaryLike) {
    this.#hash = secret === undefined ? Crypto.createHash("sha256") : Crypto.createHmac("sha256", secret)
  }
  update(data: Crypto.BinaryLike) {
    this.#hash.update(data)
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }
}

export const smithy = async (): Promise<Peer> => {
  const { SignatureV4 } = await Peers.load<Smithy>("@smithy/signature-v4")
  const { accessKeyId, accessKeySecret: secretAccessKey, contentType, expiresIn, region, uploadId } = given
  const credentials = { accessKeyId, secretAccessKey }
  const signer = new SignatureV4({ credentials, region, service: "s3", sha256: NodeSha256, uriEscapePath: false })
  const request = (query: object, headers: object) => ({
    method: "PUT",
    protocol: "https:",
    hostname: host,
    path,
    query,
    headers: { host, ...headers }
  })
  const dated = { signingDate: new Date(given.time) }
  const type = { "content-type": contentType }
  const payload = { "x-amz-content-sha256": unsigned }
  const next = partNumbers()
  const credential = `${accessKeyId}/${datetime.slice(0, 8)}/${region}/s3/aws4_request`
  const policy = async () => {
    const document = JSON.stringify(policyDocument("amz", "AWS4-HMAC-SHA256", credential))
    const base64 = Buffer.from(document).toString("base64")
    return [base64, await signer.sign(base64, dated)]
  }
  return {
    name: "@smithy/signature-v4 (S3)",
    sign: () => signer.sign(request({ partNumber: "3", uploadId }, { ...type, ...payload }), dated),
    presign: () => signer.presign(request({}, { ...type, ...payload }), { ...dated, expiresIn }),
    presignPart: () => signer.presign(request({ partNumber: next(), uploadId }, payload), { ...dated, expiresIn }),
    policy
  }
}
