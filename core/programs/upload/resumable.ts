/**
 * Resumable upload: a multipart upload that a later run goes on with, after whatever ended the earlier one.
 *
 * What is at the server counts only when the server's list and the checkpoint agree, and when the source's bytes, read
 * again, still have the part's CRC-64. It never aborts an upload, except one that it throws away for another
 * (decisions/0004). The upload may be gone because an earlier Complete won: HeadObject tells (decisions/0003).
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Checkpoint from "../../model/Checkpoint.ts"
import * as ObjectKey from "../../model/ObjectKey.ts"
import { SourceError, type CallbackFailed, type CheckpointError } from "../../model/OssError.ts"
import * as PartPlan from "../../model/PartPlan.ts"
import type { Uploaded } from "../../model/Uploaded.ts"
import { CheckpointStore, type Handle } from "../../ports/CheckpointStore.ts"
import type { Reader, Source } from "../../ports/Source.ts"
import type { Stored } from "../../wire/ServiceResponse.ts"
import { OssClient } from "../OssClient.ts"
import { scopedSpanned } from "../spanned.ts"
import * as Body from "./body.ts"
import * as Completion from "./completion.ts"
import * as Ledger from "./ledger.ts"
import { listParts } from "./listing.ts"
import { initiate, type Opening } from "./opening.ts"
import { checkConcurrency, encodeMultipart, holdingOf, type ResumableOptions, type UploadError } from "./options.ts"
import * as Parts from "./parts.ts"
import * as Progress from "./progress.ts"
import type { SentPart } from "./sent.ts"
import { simple } from "./simple.ts"

/** Everything that one run needs to know. */
interface Run {
  readonly opening: Opening
  readonly completeHeaders: Readonly<Record<string, string>>
  readonly source: Source
  readonly reader: Reader
  readonly plan: PartPlan.PartPlan
  readonly facts: Checkpoint.Facts
  readonly handle: Handle
  readonly send: Omit<Parts.SendOptions<never>, "known" | "onSent">
}

/** The object, and the parts that it was made of. */
interface Finished {
  readonly parts: Iterable<SentPart>
  readonly stored: Stored
}

/** `Upload.resumable`, with whatever options; the types there say more. */
export const resumable = <A>(
  key: string,
  source: Source,
  options: ResumableOptions<A>
): Effect.Effect<Uploaded<A>, UploadError | CheckpointError | CallbackFailed, OssClient | CheckpointStore> =>
  scopedSpanned(
    "oss.Upload.resumable",
    Effect.gen(function* () {
      const client = yield* OssClient
      const store = yield* CheckpointStore
      const plan = yield* PartPlan.make(source.size, options)
      const concurrency = yield* checkConcurrency(options.concurrency)
      const objectKey = yield* ObjectKey.make(key)
      const headers = yield* encodeMultipart(objectKey, options)
      const facts: Checkpoint.Facts = {
        origin: client.bucket.origin,
        bucket: client.bucket.name,
        key: objectKey,
        fingerprint: source.fingerprint,
        size: source.size,
        partSize: plan.partSize,
        options: client.signer.crypto.sha256Hex(JSON.stringify(Object.entries(headers.initiate).sort()))
      }
      const handle = yield* store.acquire(Checkpoint.identity(facts))
      const reader = yield* source.open
      const opening = { client, key: objectKey, headers }
      const earlier = yield* usable(opening, handle, facts, source, options.ifChanged ?? "fail")
      if (plan.count === 1) return { ...(yield* simple(key, source, options)), method: "resumable" as const }

      const progress = yield* Progress.make({ total: source.size, totalParts: plan.count }, options.onProgress)
      const holding = holdingOf(options, source, plan.partSize)
      const send = { partSize: plan.partSize, holding, concurrency, progress }
      const run = { opening, completeHeaders: headers.complete, source, reader, plan, facts, handle, send }
      const { parts, stored } = yield* Effect.catchIf(
        Option.match(earlier, { onNone: () => begun(run), onSome: (checkpoint) => resumed(run, checkpoint) }),
        Completion.isNoSuchUpload,
        () =>
          Effect.flatMap(wonBefore(run), Option.match({ onNone: () => begun(run), onSome: Effect.succeed<Finished> }))
      )
      // Stored is stored: a checkpoint that cannot be removed is settled by HeadObject, should a later run find it.
      yield* Effect.catchAll(handle.remove, (error) => Effect.logWarning(error.message))
      yield* progress.finish(source.size)
      return yield* Completion.receiptOf("resumable", opening, parts, stored, options.callback)
    })
  )

/** The earlier run's checkpoint, if it is of this very upload; else the upload it tells of is aborted, and it is removed. */
const usable = (
  opening: Opening,
  handle: Handle,
  facts: Checkpoint.Facts,
  source: Source,
  ifChanged: "fail" | "restart"
): Effect.Effect<Option.Option<Checkpoint.Checkpoint>, CheckpointError | SourceError> =>
  Effect.gen(function* () {
    const found = yield* handle.load
    if (Option.isNone(found)) return found
    const difference = Checkpoint.difference(found.value, facts)
    if (Option.isNone(difference)) return found
    const isOtherSource = difference.value === "fingerprint" || difference.value === "size"
    if (isOtherSource && ifChanged === "fail") {
      const begun = new Date(found.value.created).toISOString()
      const detail = `is not what its upload began with at ${begun}; to begin anew, pass ifChanged: "restart"`
      return yield* new SourceError({ reason: "Changed", source: source.name, detail })
    }
    yield* Effect.logInfo(
      `the upload of ${facts.key} begins anew: the earlier run began with other ${difference.value}`
    )
    yield* Completion.abort(openUpload(opening, found.value))
    yield* handle.remove
    return Option.none()
  })

const openUpload = ({ client, headers, key }: Opening, { uploadId }: Checkpoint.Checkpoint): Parts.OpenUpload => ({
  client,
  key,
  uploadId,
  partHeaders: headers.part
})

/** A new upload. Nobody else knows of it before its checkpoint is saved, so it is aborted if that fails. */
const begun = (run: Run): Effect.Effect<Finished, UploadError | CheckpointError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const upload = yield* initiate(run.opening, restore)
      const created = yield* Clock.currentTimeMillis
      const checkpoint = Checkpoint.make({ ...run.facts, uploadId: upload.uploadId, created })
      yield* Effect.onError(run.handle.save(checkpoint), () => Completion.abort(upload))
      return checkpoint
    })
  ).pipe(Effect.flatMap((checkpoint) => finish(run, checkpoint, [])))

/** The upload of an earlier run. */
const resumed = (run: Run, checkpoint: Checkpoint.Checkpoint): Effect.Effect<Finished, UploadError | CheckpointError> =>
  Effect.flatMap(listParts(openUpload(run.opening, checkpoint)), (listed) =>
    finish(run, checkpoint, Checkpoint.missing(run.plan, checkpoint, listed).done)
  )

/** Proves the parts that count as done, sends all others, and completes. */
const finish = (
  run: Run,
  checkpoint: Checkpoint.Checkpoint,
  done: ReadonlyArray<Checkpoint.PartDone>
): Effect.Effect<Finished, UploadError | CheckpointError> =>
  Effect.gen(function* () {
    const upload = openUpload(run.opening, checkpoint)
    const ledger = yield* Ledger.make(run.handle, { ...checkpoint, parts: done })
    const parts = yield* Parts.sendParts(upload, PartPlan.parts(run.plan), run.reader, {
      ...run.send,
      known: ledger.known,
      onSent: ledger.add
    }).pipe(Effect.onError(() => Effect.ignore(ledger.save)))
    yield* run.reader.unchanged
    // From here on the upload may be gone because it won. The checkpoint then says what the object must be.
    yield* ledger.save
    return { parts, stored: yield* Completion.complete(upload, parts, run.completeHeaders) }
  })

/**
 * Whether an upload that OSS does not know any more has become the object: then its checkpoint has every part, and the
 * object and the source both have the CRC-64 that the parts make.
 */
const wonBefore = (run: Run): Effect.Effect<Option.Option<Finished>, UploadError | CheckpointError> =>
  Effect.gen(function* () {
    const parts = Option.match(yield* run.handle.load, { onNone: () => [], onSome: ({ parts }) => parts })
    if (parts.length !== run.plan.count) return Option.none()
    const object = Completion.expected(parts)
    const stored = yield* Completion.findStored(run.opening, object)
    if (Option.isNone(stored)) return Option.none()
    const crc64 = yield* Body.crc64OfChunks(run.reader, 0, run.plan.size)
    return crc64 === object.crc64 ? Option.some({ parts, stored: stored.value }) : Option.none()
  })
