/**
 * The contract of a callback: one value for both ends.
 *
 * The uploader calls it with its variables and gets a `Callback`, encoded and ready to travel; the application server
 * decodes what arrives by it and answers what it promises; the uploader decodes that answer by it. Pure.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Bucket from "../../model/Bucket.ts"
import { CallbackRejected, InvalidParam, type CallbackFailure } from "../../model/OssError.ts"
import * as Utf8 from "../../model/Utf8.ts"
import * as Uri from "../Uri.ts"
import * as CallbackTemplate from "./CallbackTemplate.ts"
import type { AnyVarField, Body, Fields, Vars } from "./Field.ts"
import * as Order from "./Order.ts"
import * as Received from "./Received.ts"

/** What an uploader could not make of the application's answer. */
export interface OffContract {
  readonly reason: CallbackFailure
  readonly detail: string
}

/** A callback ready to travel with an upload. `A` is what the application server answers. */
export interface Callback<out A> {
  /** The texts to send, or what is wrong with them; uploads fail with it before anything is sent. */
  readonly encoded: Either.Either<Order.Encoded, InvalidParam>
  /** What was asked for, in clear; `undefined` for a callback that the bucket keeps under a name. */
  readonly order: Order.Order | undefined
  /** Reads the application's answer. */
  readonly decodeResponse: (answer: Uint8Array) => Either.Either<A, OffContract>
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
  readonly decodeResponse: Callback<A>["decodeResponse"]
}

/** The name under which the bucket travels when the contract's body does not ask for it. */
const bucketName = (fields: Fields): string => {
  const declared = Object.entries(fields).find(([, field]) => field.variable === "bucket")
  if (declared !== undefined) return declared[0]
  return Object.hasOwn(fields, "bucket") ? "oss_bucket" : "bucket"
}

const templateOf = (fields: Fields, bodyType: CallbackTemplate.BodyType): string => {
  const entries = Object.entries(fields).map(([name, { variable }]) => [name, variable] as const)
  if (!entries.some(([, variable]) => variable === "bucket")) entries.push([bucketName(fields), "bucket"])
  return bodyType === CallbackTemplate.form
    ? entries.map(([name, variable]) => `${Uri.encode(name)}=\${${variable}}`).join("&")
    : `{${entries.map(([name, variable]) => `${JSON.stringify(name)}:\${${variable}}`).join(",")}}`
}

/** Reads a JSON answer by a Schema; what does not fit is off the contract, told in one line without the answer itself. */
export const responseDecoder = <A, I>(response: Schema.Schema<A, I>): Callback<A>["decodeResponse"] => {
  const decode = Schema.decodeUnknownEither(response)
  const off = (detail: string): OffContract => ({ reason: "OffContract", detail })
  return (answer) =>
    Either.gen(function* () {
      const text = yield* Either.fromOption(Utf8.decode(answer), () => off("the answer is not UTF-8"))
      const value = yield* Either.try({
        try: (): unknown => JSON.parse(text),
        catch: () => off("the answer is not JSON")
      })
      return yield* Either.mapLeft(decode(value), (error) =>
        off(`the answer does not fit the contract: ${error.message}`)
      )
    })
}

const badBody = (detail: string) => new CallbackRejected({ reason: "BadBody", detail })

const decodeFields = <F extends Fields>(fields: F, texts: Received.Texts): Either.Either<Body<F>, CallbackRejected> => {
  const body: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = field.decode(texts.get(name))
    if (Either.isLeft(value)) return Either.left(badBody(`${JSON.stringify(name)} ${value.left}`))
    body[name] = value.right
  }
  return Either.right(body as Body<F>) // each field was decoded by its own decoder
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
  const decodeResponse = responseDecoder(response)
  const encode = Schema.encodeEither(response)

  const bind = (given: Readonly<Record<string, unknown>> = {}): Callback<A> => {
    const variables: Record<string, string> = {}
    let fault: InvalidParam | undefined
    for (const [name, field] of Object.entries(fields)) {
      if (field._tag !== "Var") continue
      const text = (field as AnyVarField).encode(given[name] as never) // the contract's type says that it fits
      if (Either.isLeft(text)) fault ??= new InvalidParam({ field: name, reason: text.left })
      else variables[field.variable] = text.right
    }
    const order = { urls, host, sni, template, bodyType, variables }
    const encoded =
      fault === undefined ? Either.flatMap(Bucket.checkName(bucket), () => Order.encode(order)) : Either.left(fault)
    return { encoded, order, decodeResponse }
  }

  const decode = (raw: Uint8Array): Either.Either<Body<F>, CallbackRejected> =>
    Either.gen(function* () {
      const text = yield* Either.fromOption(Utf8.decode(raw), () => badBody("the body is not UTF-8"))
      const read = bodyType === CallbackTemplate.form ? Received.form : Received.json
      const texts = yield* Either.mapLeft(read(text), (detail) => badBody(`the body cannot be read: ${detail}`))
      if (texts.get(nameOfBucket) !== bucket) {
        const detail = `it is about another bucket than "${bucket}"`
        return yield* Either.left(new CallbackRejected({ reason: "WrongBucket", detail }))
      }
      return yield* decodeFields(fields, texts)
    })

  const encodeResponse = (answer: A): Either.Either<string, string> =>
    Either.mapBoth(encode(answer), { onLeft: (error) => error.message, onRight: (value) => JSON.stringify(value) })

  return Object.assign(bind as Bind<F, A>, {
    urls,
    bucket,
    fields,
    bodyType,
    template,
    decode,
    encodeResponse,
    decodeResponse
  })
}

/** What is wrong with a contract beside its variables, if anything: for tests and for a service's start. */
export const check = <F extends Fields, A>(contract: Contract<F, A>): Option.Option<InvalidParam> => {
  const variables: Record<string, string> = {}
  for (const field of Object.values(contract.fields)) if (field._tag === "Var") variables[field.variable] = ""
  const { urls, template, bodyType } = contract
  return Option.orElse(Either.getLeft(Bucket.checkName(contract.bucket)), () =>
    Either.getLeft(Order.encode({ urls, template, bodyType, variables }))
  )
}
