/**
 * What a callback can tell about the object just stored, and the body that is made of it. Pure.
 *
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Either from "effect/Either"
import * as CallbackTemplate from "../../../core/wire/callback/CallbackTemplate.ts"
import type { CallbackOrder } from "./CallbackOrder.ts"
import type { ImageInfo } from "./ImageInfo.ts"

export interface Facts {
  readonly bucket: string
  readonly object: string
  /** Without quotes. */
  readonly etag: string
  /** Of the whole object, in bytes. */
  readonly size: number
  readonly mimeType: string
  readonly crc64: bigint
  /** Base64; absent for an object of several parts. */
  readonly contentMd5?: string | undefined
  /** Absent on the public network. */
  readonly vpcId?: string | undefined
  readonly clientIp: string
  /** Of the upload, as is `operation`: `PutObject`, `PostObject` or `CompleteMultipartUpload`. */
  readonly requestId: string
  readonly operation: string
  /** Needed only when `wantsImage` says so; absent for what is no image. */
  readonly image?: ImageInfo | undefined
  /** The accounts that own the bucket and that sent the upload. */
  readonly owner: string
  readonly requester: string
  /** When the callback is sent, in milliseconds since 1970. */
  readonly time: number
}

/** Whether the body asks for the size or format of an image: only then is its file worth reading. */
export const wantsImage = ({ body }: CallbackOrder): boolean =>
  Either.match(CallbackTemplate.placeholders(body), {
    onLeft: () => false,
    onRight: (names) => names.some((name) => name.startsWith("imageInfo."))
  })

type Variables = Readonly<Record<CallbackTemplate.SystemVariable, string | number | bigint | undefined>>

const systemVariables = (facts: Facts): Variables => ({
  bucket: facts.bucket,
  object: facts.object,
  etag: facts.etag,
  size: facts.size,
  mimeType: facts.mimeType,
  "imageInfo.height": facts.image?.height,
  "imageInfo.width": facts.image?.width,
  "imageInfo.format": facts.image?.format,
  crc64: facts.crc64,
  contentMd5: facts.contentMd5,
  vpcId: facts.vpcId,
  clientIp: facts.clientIp,
  reqId: facts.requestId,
  operation: facts.operation
})

/** The body of the callback. Variables that nobody has defined are rendered as missing ones. */
export const render = ({ body, bodyType, variables }: CallbackOrder, facts: Facts): string => {
  const known = new Map<string, ReturnType<CallbackTemplate.Lookup>>([
    ...Object.entries(systemVariables(facts)),
    ...variables
  ])
  return CallbackTemplate.render(body, bodyType, (name) => known.get(name))
}
