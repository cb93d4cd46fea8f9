/**
 * PostObject: an upload by a form of a web page.
 *
 * Signature and policy are checked before the file's first byte is taken, its size and what follows it before the object is
 * stored. Sources: "PostObject", https://www.alibabacloud.com/help/en/oss/developer-reference/postobject; "POST V4 signature".
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as Attributes from "../Attributes.ts"
import * as FormSignature from "../authentication/FormSignature.ts"
import * as Permission from "../authentication/Permission.ts"
import type * as Body from "../Body.ts"
import type { Answer, BucketCall, ObjectCall } from "../Call.ts"
import type * as Faults from "../Faults.ts"
import * as Form from "../Form.ts"
import * as Http from "../Http.ts"
import * as Names from "../Names.ts"
import * as Refusal from "../Refusal.ts"
import { Settings } from "../Settings.ts"
import { Signer } from "../Signer.ts"
import { Storage } from "../Storage.ts"
import * as XmlText from "../XmlText.ts"
import * as Bodies from "./Bodies.ts"
import * as Callbacks from "./Callbacks.ts"
import * as Complete from "./Complete.ts"
import * as Headers from "./Headers.ts"
import * as PutObject from "./PutObject.ts"

const resolveKey = (template: string, filename: string): Either.Either<string, Refusal.Refusal> => {
  const key = PostPolicy.resolveKey(template, filename)
  return Either.mapLeft(key, () => Names.refusal(template === "${filename}" ? filename : template))
}

const verify = (call: BucketCall, form: Form.Form) =>
  Effect.gen(function* () {
    const { accessKeys, signatureV1 } = yield* Settings
    const terms = { signer: yield* Signer, accessKeys, signatureV1, region: call.bucket.region, now: call.now }
    return yield* FormSignature.verify(terms, form.fields)
  })

const evaluate = (
  policy: PostPolicy.PostPolicy | undefined,
  call: BucketCall,
  { entries, file }: Form.Form,
  size: number
): Either.Either<void, Refusal.Refusal> =>
  policy === undefined
    ? Either.void
    : Either.mapLeft(
        PostPolicy.evaluate(
          policy,
          { bucket: call.bucket.name, fields: entries, file: { size, contentType: file.contentType } },
          call.now
        ),
        FormSignature.policyRefusal
      )

const ranges = (policy: PostPolicy.PostPolicy | undefined) =>
  (policy?.conditions ?? []).filter((condition) => condition._tag === "ContentLengthRange")

// OSS's own name for the type wins; the file part's is what browsers state.
const contentType = ({ fields, file }: Form.Form): string | undefined =>
  fields.get("x-oss-content-type") ?? file.contentType ?? fields.get("content-type")

const attributes = (call: BucketCall, form: Form.Form) => {
  const { "x-oss-tagging": _, ...headers } = Object.fromEntries(form.fields) // tags are for PutObject only
  return Attributes.read({ ...headers, "content-type": contentType(form) ?? "" }, call.bucket)
}

/** Takes the file in and reads the request to its end. A refusal lets the file go again. */
const receive = (
  call: BucketCall,
  form: Form.Form,
  policy: PostPolicy.PostPolicy | undefined
): Effect.Effect<Body.Received, Refusal.Refusal, Settings | Storage> =>
  Effect.gen(function* () {
    const { limits } = yield* Settings
    const storage = yield* Storage
    const { md5 } = yield* Bodies.expected({ "content-md5": call.request.headers["content-md5"] ?? "" })
    const limit = Math.min(limits.maxBody, ...ranges(policy).map(({ max }) => max))
    const received = yield* storage.receive(form.file.content, limit).pipe(
      Effect.catchTags({
        BodyBroken: ({ cause }) => Effect.fail(Form.refusalOf(cause)),
        BodyTooLong: () => {
          const fits = evaluate(policy, call, form, limit + 1)
          return Effect.fail(Either.isLeft(fits) ? fits.left : Refusal.entityTooLarge(limit, limit + 1))
        }
      })
    )
    const check = Effect.gen(function* () {
      yield* form.finish
      yield* evaluate(policy, call, form, received.size)
      if (md5 !== undefined && !md5.equals(form.md5())) return yield* Effect.fail(Refusal.invalidDigest)
    })
    yield* Effect.tapError(check, () => storage.discard(received.file))
    return received
  })

const success = (call: ObjectCall, form: Form.Form, etag: string, headers: Record<string, string>): Http.Response => {
  const redirect = form.fields.get("success_action_redirect")
  if (redirect !== undefined && /^https?:\/\//i.test(redirect)) {
    return Http.noBody(303, { ...headers, Location: redirect })
  }
  const status = form.fields.get("success_action_status")
  if (status !== "201") return Http.noBody(status === "200" ? 200 : 204, headers)
  const location = Complete.objectUrl(call, call.bucket.name, call.key)
  return Http.xml(
    201,
    XmlText.document(
      XmlText.parent(
        "PostResponse",
        XmlText.element("Bucket", call.bucket.name),
        XmlText.element("ETag", `"${etag}"`),
        XmlText.element("Key", call.key),
        XmlText.element("Location", location)
      )
    ),
    { ...headers, Location: location }
  )
}

export const postObject = (call: BucketCall): Answer<Callbacks.Sender | Signer | Faults.Current> =>
  Effect.gen(function* () {
    const { bucket, request } = call
    const storage = yield* Storage
    const { limits } = yield* Settings
    if (!Http.announcesBody(request.headers)) return yield* Effect.fail(Refusal.missingContentLength)
    const form = yield* Form.open(request, limits)
    const template = form.fields.get("key")
    if (template === undefined) return yield* Effect.fail(Refusal.missingKey)
    const { principal, policy } = yield* verify(call, form)
    // A size that fits, so that all but the size is decided before the file is read.
    yield* evaluate(policy, call, form, Math.max(0, ...ranges(policy).map(({ min }) => min)))
    const key = yield* resolveKey(template, form.file.filename ?? "")
    yield* Permission.check(principal, "PostObject", bucket, undefined)
    const described = yield* attributes(call, form)
    const forbidOverwrite = yield* Attributes.forbidOverwrite(form.fields.get("x-oss-forbid-overwrite"))
    const order = yield* Callbacks.orderOfForm(bucket, form.fields)
    const received = yield* receive(call, form, policy)
    const stored = yield* storage.locked(
      bucket.name,
      key
    )(PutObject.store(bucket.name, PutObject.record(key, described, received, call.now), received, forbidOverwrite))
    const objectCall: ObjectCall = { ...call, principal, key }
    const plain = success(objectCall, form, stored.etag, Headers.identity(stored))
    return yield* Callbacks.finish(objectCall, order, stored, plain)
  }).pipe(Effect.uninterruptible)
