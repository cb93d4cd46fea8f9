/**
 * From a request to its answer. The handler knows no socket: Server.ts and InProcess.ts call it.
 *
 * Every refusal on the way becomes OSS's error document; a defect becomes 500 and is logged. Faults strike between the
 * understanding of a request and its answer.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as NodeCrypto from "node:crypto"
import * as Addressing from "./Addressing.ts"
import { CallbackKeys } from "./callback/index.ts"
import * as Dispatch from "./Dispatch.ts"
import * as EmulatorClock from "./EmulatorClock.ts"
import * as ErrorResponse from "./ErrorResponse.ts"
import * as Faults from "./Faults.ts"
import * as Http from "./Http.ts"
import { Journal } from "./Journal.ts"
import * as Names from "./Names.ts"
import * as Cors from "./operations/Cors.ts"
import * as Refusal from "./Refusal.ts"
import * as Route from "./Route.ts"
import { Settings } from "./Settings.ts"
import { Storage } from "./Storage.ts"

export type Requirements =
  | Settings
  | Storage
  | Journal
  | Faults.Faults
  | EmulatorClock.EmulatorClock
  | CallbackKeys.CallbackKeys
  | Exclude<Dispatch.Requirements, Faults.Current>

/** 24 hexadecimal digits: the time in seconds, and chance. */
const newRequestId = (now: number): string => {
  const seconds = Math.max(0, Math.floor(now / 1000)) % 2 ** 32
  return (seconds.toString(16).padStart(8, "0") + NodeCrypto.randomBytes(8).toString("hex")).toUpperCase()
}

interface Understood {
  readonly location: Addressing.Location
  readonly operation: Route.Operation
}

const understand = (request: Http.Request, options: Addressing.Options) =>
  Either.gen(function* () {
    const location = yield* Addressing.resolve(request.target, request.headers["host"], options)
    yield* Names.check(location.bucket, location.key)
    const operation = yield* Route.find(request.method, location, request.headers)
    return { location, operation }
  })

const partNumber = ({ location }: Understood): number | undefined => {
  const text = location.query.get("partNumber")
  return text === undefined || !/^\d{1,5}$/.test(text) ? undefined : Number(text)
}

const answer = (request: Http.Request, understood: Understood, now: number, requestId: string) =>
  Effect.gen(function* () {
    const { location, operation } = understood
    const faults = yield* Faults.Faults
    const striking = yield* faults.take({ operation, key: location.key, partNumber: partNumber(understood) })
    const call = { operation, request, location, query: location.query, now, requestId }
    return yield* Faults.apply(striking, now, Dispatch.perform(call))
  })

// Receivers are told to fetch the key that callbacks are signed with from here; no bucket can have such a name.
const publicKey = (request: Http.Request) =>
  Effect.map(CallbackKeys.CallbackKeys, ({ publicKeyPem }) =>
    request.method === "GET" && request.target.replace(/^https?:\/\/[^/]*/i, "") === CallbackKeys.publicKeyPath
      ? { status: 200, headers: { "Content-Type": "application/x-pem-file" }, body: Http.text(publicKeyPem) }
      : undefined
  )

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
    const pem = yield* publicKey(request)
    if (pem !== undefined) return { ...pem, headers: { ...common(requestId, now, began), ...pem.headers } }
    const settings = yield* Settings
    const storage = yield* Storage
    const understood = understand(request, settings.addressing)
    let code: string | undefined
    const refuse = (refusal: Refusal.Refusal): Http.Response => {
      code = refusal.code
      const hostId = (request.headers["host"] ?? "").replace(/:\d+$/, "")
      return ErrorResponse.make(refusal, request.method, { requestId, hostId })
    }
    const response = yield* Effect.flatMap(understood, (what) => answer(request, what, now, requestId)).pipe(
      Effect.catchAllCause((cause) => {
        const failure = Cause.failureOrCause(cause)
        if (Either.isLeft(failure)) return Effect.succeed(refuse(failure.left))
        if (Cause.isInterruptedOnly(failure.right)) return Effect.failCause(failure.right)
        return Effect.as(Effect.logError("the emulator failed", failure.right), refuse(Refusal.internalError))
      })
    )
    const known = Either.getOrUndefined(understood)
    const journal = yield* Journal
    journal.add({
      time: now,
      requestId,
      method: request.method,
      operation: known?.operation,
      bucket: known?.location.bucket,
      key: known?.location.key,
      partNumber: known === undefined ? undefined : partNumber(known),
      status: response.status,
      code
    })
    const cors = Cors.headers(request, storage.bucket(known?.location.bucket ?? ""))
    return { ...response, headers: { ...common(requestId, now, began), ...response.headers, ...cors } }
  })
