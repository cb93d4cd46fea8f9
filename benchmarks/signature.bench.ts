/**
 * Signature V4: an UploadPart signed by its headers, a PutObject as a presigned URL, the URLs of 10,000 parts, a form's policy.
 *
 * The instant is fixed, so the signing key of the day is derived once and kept; a row of its own shows what deriving costs.
 * Peers (signature.peers.ts): ali-oss signs the same requests for OSS; the S3 clients sign their equivalents for S3.
 */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { crypto } from "../adapters/node/NodeCrypto.ts"
import * as PostPolicy from "../core/wire/PostPolicy.ts"
import * as Signature from "../core/wire/Signature.ts"
import type { Bout, Settings } from "./Harness.ts"
import * as SignaturePeers from "./signature.peers.ts"
import { given, isoExpiration } from "./signature.given.ts"

const { accessKeyId, accessKeySecret, bucket, contentType, expiresIn, key, region, time, uploadId } = given

const signer = Signature.make(crypto)
const terms = { credentials: { accessKeyId, accessKeySecret: Redacted.make(accessKeySecret) }, region, time }
const presignTerms = { credentials: terms.credentials, region, time, expiresIn }

const uploadPart: Parameters<typeof Signature.signHeaders>[1] = {
  method: "PUT",
  bucket,
  key,
  query: { partNumber: "3", uploadId },
  headers: { "content-type": contentType, "content-length": "8388608" }
}
const putObject = { ...uploadPart, query: {}, headers: { "content-type": contentType } }
const part = { ...uploadPart, headers: {} }

const signHeaders = (signer: Signature.Signer) =>
  Either.getOrThrow(Signature.signHeaders(signer, uploadPart, terms)).headers

/** As by a provider that makes new credentials for each request. */
const signWrapped = () => {
  const credentials = { accessKeyId, accessKeySecret: Redacted.make(accessKeySecret) }
  return Either.getOrThrow(Signature.signHeaders(signer, uploadPart, { credentials, region, time })).headers
}

const presign = () => Either.getOrThrow(Signature.presign(signer, putObject, presignTerms)).search

const form = (): Readonly<Record<string, string>> => {
  const stamp = Either.getOrThrow(Signature.stamp(signer, terms))
  const conditions = PostPolicy.withV4(
    [
      PostPolicy.startsWith("key", given.prefix),
      PostPolicy.contentLengthRange(1, given.maxSize),
      PostPolicy.eq("content-type", contentType)
    ],
    { bucket, ...stamp }
  )
  const policy = Either.getOrThrow(PostPolicy.make({ expiration: Date.parse(isoExpiration), conditions }))
  return PostPolicy.fields(policy, Either.getOrThrow(Signature.signPolicy(signer, policy.base64, terms)))
}

export const bouts = async (settings: Settings): Promise<ReadonlyArray<Bout>> => {
  const peers = settings.peers ? await SignaturePeers.make() : SignaturePeers.none
  const partNumbers = Array.from({ length: settings.smoke ? 100 : 10_000 }, (_, index) => index + 1)
  const presignParts = () => Either.getOrThrow(Signature.presignParts(signer, part, presignTerms, partNumbers))

  // The same request, signed by Alibaba's own client: if these differed, one of the two would time something else.
  if (peers.authorization !== undefined && peers.authorization !== signHeaders(signer)["authorization"]) {
    throw new Error(`ali-oss signs the UploadPart otherwise: ${peers.authorization}`)
  }
  const bouts: ReadonlyArray<Bout> = [
    {
      name: "sign UploadPart by headers",
      contestants: [
        { name: "effect-oss", run: () => signHeaders(signer) },
        { name: "effect-oss, secret wrapped anew", run: signWrapped },
        { name: "effect-oss, key derived anew", run: () => signHeaders(Signature.make(crypto)) },
        ...peers.headers
      ]
    },
    { name: "presign PutObject", contestants: [{ name: "effect-oss", run: presign }, ...peers.presign] },
    {
      name: `presign ${partNumbers.length} parts, per URL`,
      contestants: [
        { name: "effect-oss, presignParts", run: presignParts, units: partNumbers.length },
        ...peers.presignPart
      ]
    },
    { name: "make and sign a form's policy", contestants: [{ name: "effect-oss", run: form }, ...peers.policy] }
  ]
  return bouts.map((bout) => ({ ...bout, rival: "ali-oss" }))
}
