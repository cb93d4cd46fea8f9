/**
 * What a callback can tell: OSS's own variables, typed, and the uploader's, typed by a Schema. Pure.
 *
 * In both body types a value reaches us as a text, or not at all (`undefined`: absent, empty where empty means absent, or
 * null). Numbers in JSON are kept as their digits, so a CRC-64 beyond 2^53 loses nothing.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback, table of system parameters.
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Crc64 from "../../model/Crc64.ts"
import type { SystemVariable } from "./CallbackTemplate.ts"
import * as Misfit from "../Misfit.ts"

/** Reads a received text; fails with what is wrong with it. */
export type Decode<A> = (text: string | undefined) => Either.Either<A, string>

/** One of OSS's own variables. */
export interface SystemField<out A, out V extends SystemVariable = SystemVariable> {
  readonly _tag: "System"
  readonly variable: V
  readonly decode: Decode<A>
}

/** A variable of the uploader's, `${x:name}`: given at upload, received as it was given. */
export interface VarField<in out A> {
  readonly _tag: "Var"
  /** With the `x:`. */
  readonly variable: string
  readonly encode: (value: A) => Either.Either<string, string>
  readonly decode: Decode<A>
  /** Whether it carries a one-time token, which receivers check. */
  readonly isToken?: boolean
}

/** A variable of the uploader's, whatever its type. */
export interface AnyVarField {
  readonly _tag: "Var"
  readonly variable: string
  readonly encode: (value: never) => Either.Either<string, string>
  readonly decode: Decode<unknown>
  readonly isToken?: boolean
}

const system = <A, V extends SystemVariable>(variable: V, decode: Decode<A>): SystemField<A, V> => ({
  _tag: "System",
  variable,
  decode
})

const required: Decode<string> = (text) =>
  text === undefined || text === "" ? Either.left("is missing") : Either.right(text)

const optional: Decode<string | undefined> = (text) => Either.right(text === "" ? undefined : text)

const count: Decode<number> = (text) =>
  text !== undefined && /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text))
    ? Either.right(Number(text))
    : Either.left("is not a whole number from 0 on")

const optionalCount: Decode<number | undefined> = (text) =>
  text === undefined || text === "" ? Either.right(undefined) : count(text)

const decimal: Decode<bigint> = (text) =>
  Either.fromOption(Option.flatMap(Option.fromNullable(text), Crc64.parse), () => "is not a CRC-64 in decimal")

/** The bucket's name. */
export const bucket = system("bucket", required)
/** The object's key, byte by byte. */
export const object = system("object", required)
/** Without quotes. Not an MD5 for multipart and form uploads. */
export const etag = system("etag", required)
/** Bytes; `"9"` and `9` are both read. */
export const size = system("size", count)
/** The object's Content-Type; `undefined` when it has none. */
export const mimeType = system("mimeType", optional)
/** Pixels; `undefined` when the object is no image that OSS knows (JPG, PNG, BMP, GIF, WebP, TIFF, HEIC). */
export const imageHeight = system("imageInfo.height", optionalCount)
/** Pixels; `undefined` when the object is no image that OSS knows. */
export const imageWidth = system("imageInfo.width", optionalCount)
/** `jpg`, `png` …; `undefined` when the object is no image that OSS knows. */
export const imageFormat = system("imageInfo.format", optional)
/** CRC-64/XZ of the object, exact. */
export const crc64 = system("crc64", decimal)
/** Base64; `undefined` for multipart uploads. */
export const contentMd5 = system("contentMd5", optional)
/** `undefined` when the upload came over the public network. */
export const vpcId = system("vpcId", optional)
/** The address that uploaded; `undefined` when OSS does not tell. */
export const clientIp = system("clientIp", optional)
/** The request ID of the upload: one for each, so it tells deliveries apart. */
export const reqId = system("reqId", required)
/** The API that stored the object: `PutObject`, `PostObject` … */
export const operation = system("operation", required)

/**
 * A variable of the uploader's own, sent as `x:name`. `name` is of a-z, 0-9, "_" and "-"; the Schema encodes to a text.
 * What the uploader gives here is seen by whoever makes the upload: it proves nothing about who he is.
 */
export const variable = <A>(name: string, schema: Schema.Schema<A, string>): VarField<A> => {
  const decode = Misfit.told(Schema.decodeEither(schema))
  return {
    _tag: "Var",
    variable: `x:${name}`,
    encode: Misfit.told(Schema.encodeEither(schema)),
    decode: (text) => decode(text ?? "")
  }
}

/** A variable that carries a one-time token (`OneTimeToken.issue`); a receiver with the option `tokens` checks and spends it. */
export const token = (name: string): VarField<string> => ({
  ...variable(name, Schema.NonEmptyString),
  isToken: true
})

/** The fields of a contract, by the names they have in the decoded body. */
export type Fields = Readonly<Record<string, SystemField<unknown> | AnyVarField>>

/** What the application receives. */
export type Body<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends { readonly decode: Decode<infer A> } ? A : never
}

/** Which of OSS's own variables a contract asks for. */
export type SystemVariables<F extends Fields> = {
  [K in keyof F]: F[K] extends SystemField<unknown, infer V> ? V : never
}[keyof F]

export type VarNames<F extends Fields> = { [K in keyof F]: F[K] extends { readonly _tag: "Var" } ? K : never }[keyof F]

/** What the uploader gives: the contract's own variables. */
export type Vars<F extends Fields> = { readonly [K in VarNames<F>]: Body<F>[K] }
