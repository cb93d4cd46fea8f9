/**
 * A request whose operation is known: who sends it, whether he may, and then the operation itself.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Addressing from "./Addressing.ts"
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

type Reading = Pick<Call, "principal" | "query">

const isVersion1 = (principal: Call["principal"]): boolean => principal._tag === "Owner" && principal.version === "V1"

const authenticate = ({
  request,
  location: { bucket, key, query },
  operation,
  now
}: Unsigned): Effect.Effect<Reading, Refusal.Refusal, Settings | Storage | Signer> =>
  Effect.gen(function* () {
    // A form brings its signature along, a preflight has none.
    if (operation === "PostObject" || operation === "OptionObject") return { principal: anonymous, query }
    const { accessKeys, signatureV1, region } = yield* Settings
    const storage = yield* Storage
    const ofBucket = bucket === undefined ? undefined : storage.bucket(bucket)?.region
    const terms = { signer: yield* Signer, accessKeys, signatureV1, region: ofBucket ?? region, now }
    const { method, headers, target } = request
    const read = (query: Call["query"]): Either.Either<Reading, Refusal.Refusal> =>
      Either.map(
        Authenticator.verify(terms, { method, bucket, key, query: Object.fromEntries(query), headers }),
        (principal) => ({ principal, query })
      )
    // What a "+" in the query means is told by the signature; where it covers no query (version 1), it is oss2's blank.
    const plain = read(query)
    const signsIt = Either.isRight(plain) && !isVersion1(plain.right.principal)
    const asForm = signsIt
      ? Option.none()
      : Option.flatMap(Addressing.readFormQuery(target), (q) => Either.getRight(read(q)))
    return yield* Option.match(asForm, { onNone: () => plain, onSome: Either.right })
  })

/** Answers a call, or refuses it. */
export const perform = (unsigned: Unsigned): Answer<Requirements> =>
  Effect.gen(function* () {
    const { principal, query } = yield* authenticate(unsigned)
    const call: Call = { ...unsigned, principal, query, location: { ...unsigned.location, query } }
    const { operation, location } = call
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
