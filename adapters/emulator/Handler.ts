/**
 * From a request to its answer: where it goes, what it asks, who sends it, whether he may; then the operation.
 *
 * Every refusal on the way becomes OSS's error document; a defect becomes 500 and is logged. The handler knows no socket:
 * Server.ts and InProcess.ts call it.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import * as ObjectKey from "../../core/model/ObjectKey.ts"
import * as Bucket from "../../core/model/Bucket.ts"
import type * as Signature from "../../core/wire/Signature.ts"
import * as Addressing from "./Addressing.ts"
import * as Authenticator from "./authentication/Authenticator.ts"
import * as Permission from "./authentication/Permission.ts"
import { anonymous } from "./authentication/Principal.ts"
import type { Answer, Call } from "./Call.ts"
import * as EmulatorClock from "./EmulatorClock.ts"
import * as ErrorResponse from "./ErrorResponse.ts"
import type * as Http from "./Http.ts"
import * as Cors from "./operations/Cors.ts"
import * as Operations from "./operations/index.ts"
import * as Refusal from "./Refusal.ts"
import * as Route from "./Route.ts"
import { Settings } from "./Settings.ts"
import { Storage } from "./Storage.ts"

export class Signer extends Context.Tag("effect-oss/emulator/Signer")<Signer, Signature.Signer>() {}

export type Requirements = Settings | Storage | Signer | EmulatorClock.EmulatorClock | Operations.Requirements

/** 24 hexadecimal digits: the time and chance. */
const newRequestId = (now: number): string =>
  Math.floor(now / 1000)
    .toString(16)
    .padStart(8, "0")
    .slice(-8)
    .toUpperCase() + NodeCrypto.randomBytes(8).toString("hex").toUpperCase()

const record = (query: ReadonlyMap<string, string>): Readonly<Record<string, string>> => Object.fromEntries(query)

const checkNames = ({ bucket, key }: Addressing.Location): Either.Either<void, Refusal.Refusal> => {
  if (bucket !== undefined || key !== undefined) {
    const name = Bucket.checkName(bucket ?? "")
    if (Either.isLeft(name)) return Either.left(Refusal.invalidBucketName(bucket ?? ""))
  }
  if (key === undefined || Either.isRight(ObjectKey.make(key))) return Either.void
  return Either.left(
    Buffer.byteLength(key) > ObjectKey.maxBytes ? Refusal.objectNameTooLong(key) : Refusal.invalidObjectName(key)
  )
}

const authenticate = (request: Http.Request, location: Addressing.Location, operation: Route.Operation, now: number) =>
  Effect.gen(function* () {
    // A form brings its signature along, a preflight has none.
    if (operation === "PostObject" || operation === "OptionObject") return anonymous
    const settings = yield* Settings
    const storage = yield* Storage
    const bucket = location.bucket === undefined ? undefined : storage.bucket(location.bucket)
    return yield* Authenticator.verify(
      {
        signer: yield* Signer,
        accessKeys: settings.accessKeys,
        signatureV1: settings.signatureV1,
        region: bucket?.region ?? settings.region,
        now
      },
      {
        method: request.method,
        bucket: location.bucket,
        key: location.key,
        query: record(location.query),
        headers: request.headers
      }
    )
  })

const notYet = ({ operation }: Call) => Effect.fail(Refusal.notImplemented(operation))

const perform = (call: Call): Answer<Operations.Requirements> =>
  Effect.gen(function* () {
    const { operation, location, principal } = call
    const storage = yield* Storage
    const name = location.bucket ?? ""
    // The two that need no bucket to be there yet.
    if (operation === "ListBuckets" || operation === "PutBucket") {
      if (principal._tag === "Anonymous") return yield* Effect.fail(Permission.anonymousForbidden)
      return yield* (Operations.service[operation] ?? notYet)(call)
    }
    const bucket = storage.bucket(name)
    if (operation === "OptionObject") return yield* Cors.preflight(call, bucket)
    if (bucket === undefined) return yield* Effect.fail(Refusal.noSuchBucket(name))
    const key = location.key
    // A form's signature is checked by its operation, which then asks for permission itself.
    if (operation !== "PostObject") {
      const object = key === undefined ? undefined : storage.object(name, key)
      yield* Permission.check(principal, operation, bucket, object)
    }
    if (Route.isObjectOperation(operation)) {
      return yield* (Operations.object[operation] ?? notYet)({ ...call, bucket, key: key ?? "" })
    }
    return yield* (Operations.bucket[operation] ?? notYet)({ ...call, bucket })
  })

const understand = (request: Http.Request, location: Addressing.Location, now: number, requestId: string) =>
  Effect.gen(function* () {
    yield* checkNames(location)
    const operation = yield* Route.find(request.method, location, request.headers)
    const principal = yield* authenticate(request, location, operation, now)
    return { operation, request, location, query: location.query, principal, now, requestId }
  })

const common = (requestId: string, now: number, began: number): Readonly<Record<string, string>> => ({
  Server: "AliyunOSS",
  Date: new Date(now).toUTCString(),
  "x-oss-request-id": requestId,
  "x-oss-server-time": String(Math.max(1, Math.round(performance.now() - began)))
})

/** Answers a request. Never fails. Files that the answer names stay readable until the scope closes. */
export const handle = (request: Http.Request): Effect.Effect<Http.Response, never, Requirements | Scope.Scope> =>
  Effect.gen(function* () {
    const began = performance.now()
    const now = yield* EmulatorClock.at(request)
    const requestId = newRequestId(now)
    const hostId = (request.headers["host"] ?? "").replace(/:\d+$/, "")
    const settings = yield* Settings
    const storage = yield* Storage
    const location = Addressing.resolve(request.target, request.headers["host"], settings.addressing)
    const response = yield* Effect.flatMap(location, (at) => understand(request, at, now, requestId)).pipe(
      Effect.flatMap(perform),
      Effect.catchAllCause((cause) => {
        const failure = Cause.failureOrCause(cause)
        if (Either.isLeft(failure)) return Effect.succeed(refuse(failure.left, request, requestId, hostId))
        if (Cause.isInterruptedOnly(failure.right)) return Effect.failCause(failure.right)
        return Effect.as(
          Effect.logError("the emulator failed", failure.right),
          refuse(Refusal.internalError, request, requestId, hostId)
        )
      })
    )
    const bucket = Either.isRight(location) ? storage.bucket(location.right.bucket ?? "") : undefined
    const headers = { ...common(requestId, now, began), ...response.headers, ...Cors.headers(request, bucket) }
    return { ...response, headers }
  })

const refuse = (refusal: Refusal.Refusal, request: Http.Request, requestId: string, hostId: string): Http.Response =>
  ErrorResponse.make(refusal, request.method, { requestId, hostId })
