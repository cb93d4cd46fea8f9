/**
 * The callback contracts that a cluster's uploads may use, by name.
 *
 * Durable state names a contract and holds its variables, each as the text its schema makes of it; the contract itself, with
 * its URLs, is code that every runner has. A contract that carries a one-time token is refused: state holds no secret. Pure.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { InvalidParam, type CallbackFailed } from "../../../core/model/OssError.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import type * as Callback from "../../../core/wire/Callback.ts"
import type { CallbackOutcome } from "./Receipt.ts"

/** What stands for a callback in durable state. */
export const CallbackRef = Schema.Struct({
  name: Schema.String,
  /** By the names of the contract's fields. */
  variables: Schema.Record({ key: Schema.String, value: Schema.String })
})
export type CallbackRef = typeof CallbackRef.Type

/** A contract of whatever type. */
export interface AnyContract {
  (...variables: never): Callback.Callback<unknown>
  readonly fields: Callback.Fields
  readonly encodeResponse: (answer: never) => Either.Either<string, string>
  readonly decodeResponse: Callback.Callback<unknown>["decodeResponse"]
}

export type Contracts = Readonly<Record<string, AnyContract>>

/** What a contract's application answers. */
export type AnswerOf<C extends AnyContract> = ReturnType<C> extends Callback.Callback<infer A> ? A : never

/** A callback found by its name, bound to its variables. */
export interface Bound {
  readonly callback: Callback.Callback<unknown>
  /** The application's answer as JSON text. */
  readonly encodeAnswer: (answer: unknown) => Either.Either<string, string>
}

/** Of any type, for runners. */
export interface Registry {
  /** Fails with `InvalidParam` for `callback`: no such contract here, or variables that do not fit it. */
  readonly resolve: (ref: CallbackRef) => Either.Either<Bound, InvalidParam>
}

/** Typed by its contracts, for who submits. */
export interface Typed<C extends Contracts> extends Registry {
  /** Names a contract and encodes its variables. Fails with `InvalidParam` for a variable that does not fit its schema. */
  readonly ref: <N extends keyof C & string>(
    name: N,
    ...variables: Parameters<C[N]>
  ) => Either.Either<CallbackRef, InvalidParam>
  /** What the application answered, decoded by its contract; fails with why there is no answer. */
  readonly answer: <N extends keyof C & string>(
    name: N,
    outcome: CallbackOutcome
  ) => Either.Either<AnswerOf<C[N]>, Pick<CallbackFailed, "reason" | "detail">>
}

const refuse = (reason: string) => Either.left(new InvalidParam({ field: "callback", reason }))

type Var = Extract<Callback.Fields[string], { readonly _tag: "Var" }>

const variablesOf = (contract: AnyContract): ReadonlyArray<readonly [string, Var]> =>
  Object.entries(contract.fields).flatMap(([name, field]) => (field._tag === "Var" ? [[name, field] as const] : []))

const encode = (
  name: string,
  contract: AnyContract,
  given: Readonly<Record<string, unknown>>
): Either.Either<CallbackRef, InvalidParam> =>
  Either.gen(function* () {
    const variables: Record<string, string> = {}
    for (const [field, variable] of variablesOf(contract)) {
      if (variable.isToken === true) {
        return yield* refuse(`"${name}" carries a one-time token, and durable state holds no secret`)
      }
      const text = variable.encode(given[field] as never) // the contract's type says that it fits
      variables[field] = yield* Either.mapLeft(text, (reason) => new InvalidParam({ field, reason }))
    }
    return { name, variables }
  })

const decode = (contract: AnyContract, ref: CallbackRef): Either.Either<Record<string, unknown>, InvalidParam> =>
  Either.gen(function* () {
    const variables: Record<string, unknown> = {}
    for (const [field, variable] of variablesOf(contract)) {
      const value = variable.decode(Object.hasOwn(ref.variables, field) ? ref.variables[field] : undefined)
      variables[field] = yield* Either.mapLeft(value, (reason) => new InvalidParam({ field, reason }))
    }
    return variables
  })

/** The registry of these contracts. Keep a name's meaning while jobs that use it are under way. */
export const make = <const C extends Contracts>(contracts: C): Typed<C> => ({
  ref: (name, ...variables) =>
    encode(name, contracts[name]!, (variables[0] as Readonly<Record<string, unknown>> | undefined) ?? {}),
  resolve: (ref) =>
    Either.gen(function* () {
      const contract = Object.hasOwn(contracts, ref.name) ? contracts[ref.name] : undefined
      if (contract === undefined) return yield* refuse(`no contract here is called ${JSON.stringify(ref.name)}`)
      const variables = yield* decode(contract, ref)
      const bind = contract as unknown as (variables: unknown) => Callback.Callback<unknown> // decoded by its own fields
      return { callback: bind(variables), encodeAnswer: (answer) => contract.encodeResponse(answer as never) } // its own answer
    }),
  answer: (name, outcome) => {
    switch (outcome._tag) {
      case "Answered":
        return contracts[name]!.decodeResponse(Utf8.encode(outcome.answer)) as never // the contract of this name
      case "Failed":
        return Either.left({ reason: outcome.reason, detail: outcome.detail })
      case "None":
        return Either.left({ reason: "Other", detail: "no callback was asked for" })
    }
  }
})

/** No callbacks at all. */
export const none: Registry = make({})
