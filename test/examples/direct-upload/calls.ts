/**
 * What the page may ask of its server: a grant for a file, URLs in place of those that are over, the upload's end.
 */
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Grant, OssError, type Presign } from "effect-oss"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import type { fileUploaded } from "./contract.ts"
import * as Limits from "./limits.ts"

export interface Options {
  /** Seals the tickets of uploads in parts. The same for all servers and all restarts. */
  readonly secret: Redacted.Redacted
  /** How long forms and URLs hold. Default 10 minutes. */
  readonly expiresIn?: Presign.RequestOptions["expiresIn"] | undefined
}

const Ticket = Schema.Struct({ ticket: Schema.String })
const Asked = Schema.Struct({ name: Schema.NonEmptyString, size: Schema.Number, type: Schema.String })
const Renewal = Schema.Struct({ ...Ticket.fields, parts: Schema.Array(Schema.Number) })
const Completion = Schema.Struct({
  ...Ticket.fields,
  parts: Schema.Array(Schema.Struct({ number: Schema.Number, crc64: Schema.String }))
})

/** Bytes: twice what the completion of 10,000 parts takes. The platform cuts off who sends more. */
const maxBody = 1024 * 1024

/** A key that nobody can guess, with what the user called the file at its end. */
const newKey = (name: string): string => `uploads/${randomUUID()}/${Array.from(name).slice(-200).join("")}`

/** What a failed call tells the page: the field that is wrong, or that it was not the page's fault. */
const problem = (error: { readonly _tag: string }) => {
  if (error instanceof OssError.InvalidParam) {
    return { status: 422, answer: { field: error.field, message: error.message } }
  }
  const isTheirs = error._tag === "ParseError" || error._tag === "RequestError"
  return isTheirs
    ? { status: 400, answer: { field: "", message: "not understood" } }
    : { status: 502, answer: { field: "", message: "try later" } }
}

/** JSON in, JSON out; no cache keeps what a page was granted. */
const call = <A, I, E extends { readonly _tag: string; readonly message: string }, R>(
  schema: Schema.Schema<A, I>,
  act: (asked: A) => Effect.Effect<unknown, E, R>
) =>
  HttpServerRequest.schemaBodyJson(schema).pipe(
    HttpIncomingMessage.withMaxBodySize(Option.some(maxBody)),
    Effect.flatMap(act),
    Effect.map((answer) => ({ status: 200, answer })),
    Effect.tapError((error) => Effect.logWarning(error.message)),
    Effect.catchAll((error) => Effect.succeed(problem(error))),
    Effect.map(({ answer, status }) =>
      HttpServerResponse.unsafeJson(answer, { status, headers: { "cache-control": "no-store" } })
    )
  )

/** The page's calls as routes. */
export const routes = (uploaded: ReturnType<typeof fileUploaded>, { secret, expiresIn = "10 minutes" }: Options) =>
  HttpRouter.empty.pipe(
    HttpRouter.post(
      "/grant",
      call(Asked, ({ name, size, type }) =>
        Grant.issue(
          newKey(name),
          { size, contentType: type },
          {
            expiresIn,
            secret,
            maxSize: Limits.maxSize,
            contentTypes: Limits.contentTypes,
            callback: uploaded({ name })
          }
        )
      )
    ),
    HttpRouter.post(
      "/renew",
      call(Renewal, ({ parts, ticket }) => Grant.renew(ticket, parts, { secret, expiresIn }))
    ),
    HttpRouter.post(
      "/complete",
      call(Completion, ({ parts, ticket }) =>
        Grant.toOutcome(Grant.complete(ticket, parts, { secret, callback: uploaded }))
      )
    ),
    HttpRouter.post(
      "/abort",
      call(Ticket, ({ ticket }) => Effect.as(Grant.abort(ticket, { secret }), {}))
    )
  )
