/**
 * The contract of a callback: one value for both ends.
 *
 * The uploader calls it with its variables and gets a `Callback`, encoded and ready to travel; the application server
 * decodes what arrives by it and answers what it promises; the uploader decodes that answer by it. Pure.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback; for the bucket, decisions/0007.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Bucket from "../../model/Bucket.ts"
import { CallbackRejected, InvalidParam } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import * as Uri from "../Uri.ts"
import * as Answer from "./Answer.ts"
import * as CallbackTemplate from "./CallbackTemplate.ts"
import type { AnyVarField, Body, Fields, Vars } from "./Field.ts"
import * as Order from "./Order.ts"
import * as Received from "./Received.ts"

/** A callback ready to travel with an upload. `A` is what the application server answers. */
export interface Callback<out A> {
  /** The texts to send, or what is wrong with them; uploads fail with it before anything is sent. */
  readonly encoded: Either.Either<Order.Encoded, InvalidParam>
  /** What was asked for, in clear; `undefined` for a callback that the bucket keeps under a name, or that cannot be. */
  readonly order: Order.Order | undefined
  /** Reads the application's answer. */
  readonly decodeResponse: Answer.Decode<A>
}

export interface Options<F extends Fields, A, I> {
  /** Where OSS calls: one URL, or up to five, tried in order until one answers. */
  readonly url: string | ReadonlyArray<string>
  /** The bucket whose uploads this is about. It travels in the body, and the receiver refuses any other. */
  readonly bucket: string
  /** What the application is told, by the names of your choice. */
  readonly body: F
  /** What the application answers, as JSON. */
  readonly response: Schema.Schema<A, I>
  /** Default `form`, which is OSS's own default and states missing image facts best. */
  readonly bodyType?: "form" | "json" | undefined
  /** The Host header of the callback. Default: the host of the URL. */
  readonly host?: string | undefined
  /** Whether OSS names the host when it opens a TLS connection. Default: for https URLs. */
  readonly sni?: boolean | undefined
}

/** Binds a contract's variables for one upload; without any, there is nothing to give. */
export type Bind<F extends Fields, A> = (
  ...variables: keyof Vars<F> extends never ? [] : [variables: Vars<F>]
) => Callback<A>

export interface Contract<F extends Fields, A> extends Bind<F, A> {
  readonly urls: ReadonlyArray<string>
  readonly bucket: string
  readonly fields: F
  readonly bodyType: CallbackTemplate.BodyType
  /** The body's template as OSS gets it. */
  readonly template: string
  /** Reads a callback's body. Fails with `CallbackRejected`: `BadBody`, or `WrongBucket`. Says nothing of who sent it. */
  readonly decode: (body: Uint8Array) => Either.Either<Body<F>, CallbackRejected>
  /** The application's answer as JSON text. Fails with a sentence when it does not fit the contract. */
  readonly encodeResponse: (answer: A) => Either.Either<string, string>
  /** Reads the application's answer. */
  readonly decodeResponse: Answer.Decode<A>
  /** What is wrong with the contract itself, whatever its variables are. */
  readonly problem: Option.Option<InvalidParam>
}

/** The name under which the bucket travels when the contract's body does not ask for it. */
const bucketName = (fields: Fields): string => {
  const declared = Object.entries(fields).find(([, field]) => field.variable === "bucket")
  if (declared !== undefined) return declared[0]
  return Object.hasOwn(fields, "bucket") ? "oss_bucket" : "bucket"
}

// A name that is not well-formed cannot be encoded; the template that has it as it is will be refused.
const encodeName = (name: string): string => (Utf8.isWellFormed(name) ? Uri.encode(name) : name)

const templateOf = (fields: Fields, bodyType: CallbackTemplate.BodyType): string => {
  const entries = Object.entries(fields).map(([name, { variable }]) => [name, variable] as const)
  if (!entries.some(([, variable]) => variable === "bucket")) entries.push([bucketName(fields), "bucket"])
  return bodyType === CallbackTemplate.form
    ? entries.map(([name, variable]) => `${encodeName(name)}=\${${variable}}`).join("&")
    : `{${entries.map(([name, variable]) => `${JSON.stringify(name)}:\${${variable}}`).join(",")}}`
}

const badBody = (detail: string) => new CallbackRejected({ reason: "BadBody", detail })

const decodeFields = <F extends Fields>(fields: F, texts: Received.Texts): Either.Either<Body<F>, CallbackRejected> => {
  const body: Array<readonly [string, unknown]> = []
  for (const [name, field] of Object.entries(fields)) {
    const value = field.decode(texts.get(name))
    if (Either.isLeft(value)) return Either.left(badBody(`${JSON.stringify(name)} ${value.left}`))
    body.push([name, value.right])
  }
  return Either.right(Object.fromEntries(body) as Body<F>) // each field was decoded by its own decoder
}

/** Two fields of one variable could be given two values, and one of them would be lost. */
const checkDistinct = (fields: Fields): Either.Either<void, InvalidParam> => {
  const seen = new Set<string>()
  for (const field of Object.values(fields)) {
    if (field._tag !== "Var") continue
    if (seen.has(field.variable)) {
      return Either.left(
        new InvalidParam({ field: field.variable, reason: "must be the variable of one field, got two fields" })
      )
    }
    seen.add(field.variable)
  }
  return Either.void
}

/**
 * Makes a contract. Nothing fails here, so that a contract can be a constant: what is wrong with it is the outcome of the
 * first upload that uses it, as `InvalidParam`, before anything is sent; `check` tells it at once.
 */
export const make = <const F extends Fields, A, I>(options: Options<F, A, I>): Contract<F, A> => {
  const { body: fields, bucket, host, response, sni } = options
  const urls = typeof options.url === "string" ? [options.url] : options.url
  const bodyType = options.bodyType === "json" ? CallbackTemplate.json : CallbackTemplate.form
  const template = templateOf(fields, bodyType)
  const nameOfBucket = bucketName(fields)
  const decodeResponse = Answer.decoder(response)
  const orderWith = (variables: Order.Order["variables"]) => ({ urls, host, sni, template, bodyType, variables })

  const ownVariables = Object.values(fields).flatMap(({ _tag, variable }) => (_tag === "Var" ? [variable] : []))
  const sound = Either.gen(function* () {
    yield* Bucket.checkName(bucket)
    yield* checkDistinct(fields)
    return yield* Order.encode(orderWith(Object.fromEntries(ownVariables.map((variable) => [variable, ""]))))
  })

  const encodeVariables = (given: Readonly<Record<string, unknown>>) => {
    const variables: Record<string, string> = {}
    for (const [name, field] of Object.entries(fields)) {
      if (field._tag !== "Var") continue
      const text = (field as AnyVarField).encode(given[name] as never) // the contract's type says that it fits
      if (Either.isLeft(text)) return Either.left(new InvalidParam({ field: name, reason: text.left }))
      variables[field.variable] = text.right
    }
    return Either.right(variables)
  }

  const bind = (given: Readonly<Record<string, unknown>> = {}): Callback<A> => {
    const order = Either.map(encodeVariables(given), orderWith)
    return {
      // Only the values are new: the rest was checked and encoded with the contract.
      encoded: Either.flatMap(sound, (encoded) =>
        Either.flatMap(order, ({ variables }) => Order.withVariables(encoded, variables))
      ),
      order: Either.getOrUndefined(order),
      decodeResponse
    }
  }

  const decode = (raw: Uint8Array): Either.Either<Body<F>, CallbackRejected> => {
    const text = Utf8.decode(raw)
    if (Option.isNone(text)) return Either.left(badBody("the body is not UTF-8"))
    const read = bodyType === CallbackTemplate.form ? Received.form : Received.json
    const texts = read(text.value)
    if (Either.isLeft(texts)) return Either.left(badBody(`the body cannot be read: ${texts.left}`))
    if (texts.right.get(nameOfBucket) !== bucket) {
      const detail = `it is about another bucket than "${bucket}"`
      return Either.left(new CallbackRejected({ reason: "WrongBucket", detail }))
    }
    return decodeFields(fields, texts.right)
  }

  return Object.assign(bind as Bind<F, A>, {
    urls,
    bucket,
    fields,
    bodyType,
    template,
    decode,
    encodeResponse: Answer.encoder(response),
    decodeResponse,
    problem: Either.getLeft(sound)
  })
}

/** What is wrong with a contract beside its variables, if anything: for tests and for a service's start. */
export const check = <F extends Fields, A>({ problem }: Contract<F, A>): Option.Option<InvalidParam> => problem
