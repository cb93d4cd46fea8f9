/**
 * Form upload: one PostObject with a form that somebody else has signed. Needs a transport, and no keys.
 *
 * The policy is run here before a byte is sent. Its time limit is left to OSS, whose clock counts.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Random from "effect/Random"
import { InvalidParam, type CallbackFailed } from "../../model/OssError.ts"
import type { SignedForm } from "../../model/SignedForm.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Source } from "../../ports/Source.ts"
import type { Body as TransportBody, Transport } from "../../ports/Transport.ts"
import * as ObjectHeaders from "../../wire/ObjectHeaders.ts"
import * as PostBody from "../../wire/PostBody.ts"
import * as PostPolicy from "../../wire/PostPolicy.ts"
import { scopedSpanned } from "../spanned.ts"
import * as Body from "./body.ts"
import { send, type GrantedOptions, type GrantedUploadError } from "./granted.ts"

export interface FormOptions<A> extends GrantedOptions<A> {
  /** The file's name, for `${filename}` in the key. Default: the last piece of the key. */
  readonly filename?: string | undefined
  /** Default: what the form fixes, else by the key's ending. */
  readonly contentType?: string | undefined
  /** Further fields: `x-oss-meta-…`, `x:…`. The form's own fields win. */
  readonly fields?: Readonly<Record<string, string>> | undefined
}

/** Text of 128 random bits for a boundary. */
const drawBoundary = Effect.map(Effect.all([0, 1, 2].map(() => Random.nextIntBetween(0, 2 ** 43))), (draws) =>
  PostBody.boundary(draws.reduce((bits, draw) => (bits << 43n) | BigInt(draw), 0n))
)

const policyOf = (form: SignedForm): Either.Either<PostPolicy.PostPolicy, InvalidParam> =>
  Either.mapLeft(
    PostPolicy.parseBase64(form.fields["policy"] ?? ""),
    ({ message }) => new InvalidParam({ field: "form.fields.policy", reason: message })
  )

async function* around(prefix: Uint8Array, file: TransportBody, suffix: Uint8Array): AsyncGenerator<Uint8Array> {
  yield prefix
  if (file._tag === "Bytes") yield file.bytes
  else if (file._tag === "Chunks") yield* file.chunks()
  yield suffix
}

/** `Upload.form`, with whatever options; the types there say more. */
export const form = <A>(
  grant: SignedForm,
  key: string,
  source: Source,
  options: FormOptions<A>
): Effect.Effect<Uploaded<A>, GrantedUploadError | CallbackFailed, Transport> =>
  scopedSpanned(
    "oss.Upload.form",
    Effect.gen(function* () {
      const filename = options.filename ?? key.slice(key.lastIndexOf("/") + 1)
      const objectKey = yield* PostPolicy.resolveKey(key, filename)
      const { key: _, ...own } = grant.fields
      const fixedType = own["x-oss-content-type"] ?? own["content-type"] ?? own["Content-Type"]
      const contentType = options.contentType ?? fixedType ?? ObjectHeaders.typeOf(objectKey)
      const fields = Object.entries({ key, ...options.fields, ...own })
      const file = { size: source.size, filename, contentType }

      const allowed = PostPolicy.evaluate(yield* policyOf(grant), { bucket: grant.bucket, fields, file }, 0)
      if (Either.isLeft(allowed)) return yield* new InvalidParam({ field: "form", reason: allowed.left.message })
      const post = yield* PostBody.make({ fields, file, boundary: yield* drawBoundary })

      const { body, crc64 } = yield* Body.measured(source, yield* source.open)
      const sent = () =>
        ({
          method: "form",
          operation: "PostObject",
          bucket: grant.bucket,
          key: objectKey,
          size: source.size,
          crc64: crc64()
        }) as const
      return yield* send(
        {
          method: "POST",
          url: grant.url,
          headers: { "content-type": post.contentType },
          body: { _tag: "Chunks", size: post.size, chunks: () => around(post.prefix, body, post.suffix) },
          overhead: post.size - source.size,
          carriesCallback: "callback" in own,
          forbidsOverwrite: own["x-oss-forbid-overwrite"] === "true",
          sent
        },
        options
      )
    })
  )
