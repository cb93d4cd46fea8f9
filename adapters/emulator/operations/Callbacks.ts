/**
 * How an upload's callback is taken from the request, sent, and answered: 200 with the application's own bytes, or 203.
 *
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Effect from "effect/Effect"
import type { ObjectCall } from "../Call.ts"
import type * as Http from "../Http.ts"
import * as Refusal from "../Refusal.ts"
import type * as State from "../State.ts"

export type Sender = never

/** The callback a request asks for. */
export const order = (call: ObjectCall): Effect.Effect<undefined, Refusal.Refusal> =>
  call.request.headers["x-oss-callback"] === undefined && !call.query.has("callback")
    ? Effect.succeed(undefined)
    : Effect.fail(Refusal.notImplemented("x-oss-callback"))

/** Sends the callback, if there is one, and lets its answer take the place of the plain one. */
export const finish = (
  _call: ObjectCall,
  _order: undefined,
  _stored: State.ObjectRecord,
  plain: Http.Response
): Effect.Effect<Http.Response> => Effect.succeed(plain)
