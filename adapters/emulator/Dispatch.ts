/**
 * A request whose operation is known: who sends it, whether he may, and then the operation itself.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Addressing from "./Addressing.ts"
import type { Location } from "./Addressing.ts"
import * as Authenticator from "./authentication/Authenticator.ts"
import * as Permission from "./authentication/Permission.ts"
import { anonymous } from "./authentication/Principal.ts"
import type { Answer, Call } from "./Call.ts"
import * as Cors from "./operations/Cors.ts"
import * as Operations from "./operations/index.ts"
import * as Refusal from "./Refusal.ts"
import * as Route from "./Route.ts"
import { Settings } from "./Settings.ts"
import { Signer } from "./Signer.ts"
import { Storage } from "./Storage.ts"

export type Requirements = Operations.Requirements | Signer

/** A call before anybody knows who sends it. */
export type Unsigned = Omit<Call, "principal">

interface Reading {
  readonly principal: Call["principal"]
  readonly location: Location
}

const isVersion1 = (principal: Call["principal"]): boolean => principal._tag === "Owner" && principal.version === "V1"

/**
 * What else a target may mean. Python's requests, and so oss2, writes a blank of the query as "+". ali-oss with `sldEnable` has
 * the bucket in the host and in the path.
 */
const others = (location: Location, operation: Route.Operation, target: string): ReadonlyArray<Location> => {
  const { addressing, bucket, key } = location
  const asForm = Option.map(Addressing.readFormQuery(target), (query) => ({ ...location, query }))
  const twice = addressing === "virtual-hosted" && Route.isObjectOperation(operation) && key?.startsWith(`${bucket}/`)
  const inKey = twice === true ? key?.slice(`${bucket}/`.length) : undefined
  return [...Option.toArray(asForm), ...(inKey ? [{ ...location, key: inKey }] : [])]
}

const authenticate = ({
  request: { method, headers, target },
  location,
  operation,
  now
}: Unsigned): Effect.Effect<Reading, Refusal.Refusal, Settings | Storage | Signer> =>
  Effect.gen(function* () {
    // A form brings its signature along, a preflight has none.
    if (operation === "PostObject" || operation === "OptionObject") return { principal: anonymous, location }
    const { accessKeys, signatureV1, region } = yield* Settings
    const storage = yield* Storage
    const { bucket } = location
    const ofBucket = bucket === undefined ? undefined : storage.bucket(bucket)?.region
    const terms = { signer: yield* Signer, accessKeys, signatureV1, region: ofBucket ?? region, now }
    const read = (location: Location): Either.Either<Reading, Refusal.Refusal> => {
      const received = { method, bucket, key: location.key, query: Object.fromEntries(location.query), headers }
      return Either.map(Authenticator.verify(terms, received), (principal) => ({ principal, location }))
    }
    // The signature tells what is meant; where it does not cover the query (version 1), a "+" is oss2's blank.
    const plain = read(location)
    if (Either.isRight(plain) && !isVersion1(plain.right.principal)) return plain.right
    const other = others(location, operation, target).map(read).find(Either.isRight)
    return yield* other ?? plain
  })

/** Answers a call, or refuses it. */
export const perform = (unsigned: Unsigned): Answer<Requirements> =>
  Effect.gen(function* () {
    const { principal, location } = yield* authenticate(unsigned)
    const call: Call = { ...unsigned, principal, location, query: location.query }
    const { operation } = call
    const storage = yield* Storage
    const name = location.bucket ?? ""
    // The two that need no bucket to be there yet.
    if (operation === "ListBuckets" || operation === "PutBucket") {
      if (principal._tag === "Anonymous") return yield* Effect.fail(Permission.anonymousForbidden)
      return yield* Operations.service[operation](call)
    }
    const bucket = storage.bucket(name)
    if (operation === "OptionObject") return yield* Cors.preflight(call, bucket)
    if (bucket === undefined) return yield* Effect.fail(Refusal.noSuchBucket(name))
    if (operation === "PostObject") return yield* Operations.bucket.PostObject({ ...call, bucket })
    const key = location.key ?? ""
    yield* Permission.check(principal, operation, bucket, storage.object(name, key))
    if (Route.isObjectOperation(operation)) return yield* Operations.object[operation]({ ...call, bucket, key })
    return yield* Operations.bucket[operation]({ ...call, bucket })
  })
