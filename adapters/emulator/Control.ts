/**
 * The emulator's other door: faults, clock, and what happened, for tests in other languages. Off unless asked for.
 *
 *     POST   /faults      a fault, or a list of them: {"operation":"UploadPart","partNumber":2,"fault":"drop"}
 *     GET    /faults      those that have not struck yet            DELETE /faults   forgets all, chaos too
 *     PUT    /chaos       {"seed":1,"rate":0.1,"faults":["drop"]}
 *     PUT    /clock       {"shift":3600000} or {"time":0}, in milliseconds      DELETE /clock    the real time again
 *     GET    /requests    the last requests                         GET /callbacks   the last callbacks
 *
 * It listens on the loopback only, and answers only requests whose Host is a loopback's: a web page that has a name point
 * here gets nothing. There is no key to it: whoever may open a socket on this machine may make trouble for the emulator.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Body from "./Body.ts"
import * as Faults from "./Faults.ts"
import * as Http from "./Http.ts"
import * as Route from "./Route.ts"
import type { Running } from "./Start.ts"

const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })
const Count = Schema.Int.pipe(Schema.positive())

const Fault = Schema.Struct({
  fault: Schema.Literal(...Faults.names),
  operation: optional(Schema.Literal(...Route.operations)),
  key: optional(Schema.String),
  partNumber: optional(Count),
  nth: optional(Count),
  times: optional(Count),
  status: optional(Schema.Int.pipe(Schema.between(400, 599))),
  code: optional(Schema.String),
  delay: optional(Schema.NonNegativeInt)
})

const Script = Schema.Union(Fault, Schema.Array(Fault))

const Chaos = Schema.Struct({
  seed: Schema.Int,
  rate: Schema.Number.pipe(Schema.between(0, 1)),
  faults: Schema.Array(Schema.Literal(...Faults.names))
})

const Clock = Schema.Union(Schema.Struct({ shift: Schema.Int }), Schema.Struct({ time: Schema.Int }))

const maxBody = 1024 * 1024

const json = (status: number, value: unknown): Http.Response => ({
  status,
  headers: { "Content-Type": "application/json" },
  body: Http.text(`${JSON.stringify(value)}\n`)
})

const done = Effect.succeed(Http.noBody(204))

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

const read = <A, I>(request: Http.Request, schema: Schema.Schema<A, I>): Effect.Effect<A, Http.Response> =>
  Body.collect(request.body, maxBody).pipe(
    Effect.mapError(() => json(413, { error: `the body must be at most ${maxBody} bytes` })),
    Effect.flatMap((body) => {
      // Nothing unknown is passed over: a misspelt field would let a fault strike everywhere.
      const decode = Schema.decodeUnknownEither(Schema.parseJson(schema), { onExcessProperty: "error" })
      return Either.mapLeft(decode(body.toString("utf8")), ({ message }) => json(400, { error: message }))
    })
  )

type Answer = Effect.Effect<Http.Response, Http.Response>

const routes = (running: Running, request: Http.Request): Readonly<Record<string, () => Answer>> => {
  const { faults, clock, journal, sender } = running
  return {
    "POST /faults": () =>
      Effect.flatMap(read(request, Script), (script) =>
        Effect.zipRight("fault" in script ? faults.inject(script) : faults.inject(...script), done)
      ),
    "GET /faults": () => Effect.map(faults.pending, (pending) => json(200, pending)),
    "DELETE /faults": () => Effect.zipRight(faults.clear, done),
    "PUT /chaos": () => Effect.flatMap(read(request, Chaos), (chaos) => Effect.zipRight(faults.chaos(chaos), done)),
    "PUT /clock": () =>
      Effect.flatMap(read(request, Clock), (to) =>
        Effect.zipRight("shift" in to ? clock.shift(to.shift) : clock.set(to.time), done)
      ),
    "DELETE /clock": () => Effect.zipRight(clock.set(undefined), done),
    "GET /requests": () => Effect.sync(() => json(200, journal.list())),
    "GET /callbacks": () => Effect.sync(() => json(200, sender.deliveries()))
  }
}

/** Answers the control requests of one emulator. */
export const handler =
  (running: Running) =>
  (request: Http.Request): Effect.Effect<Http.Response> => {
    if (!loopback.test(request.headers["host"] ?? "")) return Effect.succeed(json(403, { error: "not for this host" }))
    const name = `${request.method} ${request.target}`
    const known = routes(running, request)
    const route = Object.hasOwn(known, name) ? known[name] : undefined
    if (route === undefined) return Effect.succeed(json(404, { error: `no ${name}`, known: Object.keys(known) }))
    return Effect.merge(route())
  }
