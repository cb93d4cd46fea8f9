/**
 * Simple upload: one PutObject carries the whole source, up to 5 GiB.
 *
 * A lost answer is settled by sending again, which stores the same bytes: the application may then be called twice. Where
 * overwriting is forbidden that would meet our own object, so HeadObject is asked first.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Bytes from "../../model/Bytes.ts"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { InvalidParam, type CallbackFailed, type SourceError } from "../../model/OssError.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import type { Reader, Source } from "../../ports/Source.ts"
import * as Callback from "../../wire/Callback.ts"
import * as ObjectHeaders from "../../wire/ObjectHeaders.ts"
import * as Operation from "../../wire/Operation.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"
import * as AtOnce from "../atOnce.ts"
import * as OssClient from "../OssClient.ts"
import { spanned, type Place } from "../spanned.ts"
import * as Body from "./body.ts"
import type { UploadError, UploadOptions } from "./options.ts"
import * as Progress from "./progress.ts"
import { receipt } from "./receipt.ts"

/** The largest object of one request, in bytes. */
export const maxSize = Bytes.GiB(5)

/** `Upload.simple`, with whatever options; the types there say more. */
export const simple = <A>(
  key: string,
  source: Source,
  options: UploadOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed, OssClient.OssClient> =>
  spanned(({ context }: Place<OssClient.OssClient>) => ({
    name: "oss.Upload.simple",
    use: () => {
      const client = Context.get(context, OssClient.OssClient)
      const prepared = prepare(key, source, options)
      if (Either.isLeft(prepared)) return Effect.fail(prepared.left)
      return withReader(source, options.onProgress, (reader, progress) =>
        AtOnce.flatMap(Body.measured(source, reader), (body) => put(client, prepared.right, body, progress, options))
      )
    }
  }))

/** What is checked before anything is opened or sent. */
interface Prepared {
  readonly key: ObjectKey.ObjectKey
  readonly headers: Operation.Headers
  readonly source: Source
}

const prepare = (
  key: string,
  source: Source,
  options: UploadOptions<unknown>
): Either.Either<Prepared, InvalidParam> => {
  const objectKey = ObjectKey.make(key)
  if (Either.isLeft(objectKey)) return Either.left(objectKey.left)
  const object = ObjectHeaders.encode(objectKey.right, options)
  if (Either.isLeft(object)) return Either.left(object.left)
  const limit = ObjectHeaders.encodeTrafficLimit(options.trafficLimit)
  if (Either.isLeft(limit)) return Either.left(limit.left)
  const callback = options.callback === undefined ? none : Callback.headers(options.callback)
  if (Either.isLeft(callback)) return Either.left(callback.left)
  if (source.size > maxSize) {
    const reason = `must be at most ${maxSize} bytes for a simple upload, got ${source.size}; use multipart`
    return Either.left(new InvalidParam({ field: "source", reason }))
  }
  return Either.right({
    key: objectKey.right,
    headers: Object.assign(object.right, limit.right, callback.right),
    source
  })
}

const none = Either.right({})

/** Opens the source for as long as `use` runs. Who is open already, and tells nobody of progress, needs no scope. */
const withReader = <A, E>(
  source: Source,
  onProgress: Progress.OnProgress | undefined,
  use: (reader: Reader, progress: Progress.Reporter) => Effect.Effect<A, E>
): Effect.Effect<A, E | SourceError> => {
  const reporter = Progress.make({ total: source.size, totalParts: 1 }, onProgress)
  const [open, reporting] = [AtOnce.outcome(source.open), AtOnce.outcome(reporter)]
  if (open !== undefined && reporting !== undefined && Exit.isSuccess(open) && Exit.isSuccess(reporting)) {
    return use(open.value, reporting.value)
  }
  return Effect.scoped(
    Effect.flatMap(reporter, (progress) => Effect.flatMap(source.open, (reader) => use(reader, progress)))
  )
}

const put = <A>(
  client: OssClient.Service,
  { headers, key, source }: Prepared,
  { body, crc64 }: Body.MeasuredBody,
  progress: Progress.Reporter,
  { callback, forbidOverwrite, onProgress }: UploadOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CallbackFailed> => {
  const { size } = source
  const lookUp = Effect.suspend(() => client.execute(Operation.headObject(key)))
  const onSent = onProgress === undefined ? undefined : progress.report
  const sent = client.execute(Operation.putObject(key, headers, body, onSent, !forbidOverwrite))
  const settled = !forbidOverwrite
    ? sent
    : Effect.catchAll(sent, (error) =>
        OssClient.mayHaveActed(error) ? Effect.orElseFail(ours(lookUp, size, crc64()), () => error) : Effect.fail(error)
      )
  return AtOnce.flatMap(settled, (stored) =>
    AtOnce.flatMap(progress.finish(size), () => {
      const bucket = client.bucket.name
      const object = { method: "simple", operation: "PutObject", bucket, key, size, crc64: crc64() } as const
      return receipt(object, stored, callback, lookUp)
    })
  )
}

/** Whether an object that is there after a lost answer is ours; if so, all but the application's answer is known. */
const ours = <E>(
  lookUp: Effect.Effect<Operation.ObjectInfo, E>,
  size: number,
  crc64: bigint
): Effect.Effect<Stored, E | Cause.NoSuchElementException> =>
  lookUp.pipe(
    Effect.filterOrFail((info) => info.size === size && info.crc64 === crc64),
    Effect.map(({ etag, crc64, requestId, versionId }) => ({ etag, crc64, versionId, requestId, callback: undefined }))
  )
