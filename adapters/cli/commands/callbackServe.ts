/**
 * `callback serve`: a receiver that prints what arrives, whoever sent it, and says whether OSS did.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Receiver } from "../../../core/programs/CallbackReceiver.ts"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as NodeCallback from "../../node/NodeCallback.ts"
import * as NodeCrypto from "../../node/NodeCrypto.ts"
import * as Command from "../Command.ts"
import { Problem, run } from "../Run.ts"
import { bold, green, red, say, sayJson } from "../Terminal.ts"
import * as TrustOptions from "../TrustOptions.ts"
import * as Units from "../Units.ts"

interface Arrival {
  readonly method: string
  readonly target: string
  readonly signed: boolean
  readonly reason?: string
  readonly contentType: string | undefined
  readonly body: string
}

const print = (arrival: Arrival, asJson: boolean): void => {
  if (asJson) return sayJson(arrival)
  const { body, method, reason, signed, target } = arrival
  const verdict = signed ? green("signed", process.stdout) : red(`not signed (${reason})`, process.stdout)
  say(`${bold(`${method} ${target}`, process.stdout)}  ${verdict}\n  ${body}`)
}

export const command = Command.make({
  name: "callback serve",
  about:
    "Listens until Ctrl-C. OSS must be able to reach it, so this machine needs a public address or a tunnel; the emulator\n" +
    "needs neither: trust its key, whose URL it prints. Requests that OSS did not sign are printed, and refused with 403.\n" +
    "With --json, one line for each request, after a first one that says where it listens.",
  operands: [],
  options: {
    port: { kind: "text", value: "PORT", about: "default 3000; 0 takes any free port" },
    host: { kind: "text", value: "ADDRESS", about: "default: all of this machine's" },
    answer: { kind: "text", value: "JSON", about: 'what to answer, default {"ok":true}' },
    status: {
      kind: "text",
      value: "STATUS",
      about: "the status to answer, default 200; OSS takes no other for success"
    },
    ...TrustOptions.options,
    ...Command.json
  },
  examples: [
    {
      about: "with the emulator",
      line: "effect-oss callback serve --trust http://127.0.0.1:9000/callback_pub_key_v1.pem"
    },
    { about: "see what a failing application does to uploads", line: "effect-oss callback serve --status 500" }
  ],
  run: async ({ options: given }) => {
    const port = given.port === undefined ? 3000 : Units.whole("--port", given.port)
    const status = given.status === undefined ? 200 : Units.whole("--status", given.status)
    if (port > 65_535) throw new Command.Usage(`--port must be 0 to 65535, got ${port}`)
    if (status < 100 || status > 599) throw new Command.Usage(`--status must be 100 to 599, got ${status}`)
    const answer = Buffer.from(given.answer ?? '{"ok":true}')
    const reply = (status: number, body: Buffer) => ({
      status,
      headers: { "content-type": "application/json", "content-length": String(body.length) },
      body
    })

    const program = Effect.scoped(
      Effect.gen(function* () {
        const trusted = yield* TrustOptions.keys(given)
        const receiver: Receiver<never> = {
          maxBodyBytes: 64 * 1024,
          handle: (request) =>
            Effect.sync(() => {
              const verdict = CallbackSignature.verify(NodeCrypto.crypto, trusted, request)
              const signed = Either.isRight(verdict)
              print(
                {
                  method: request.method,
                  target: request.path + (request.query === undefined ? "" : `?${request.query}`),
                  signed,
                  ...(signed ? {} : { reason: verdict.left.reason }),
                  contentType: request.headers["content-type"],
                  body: Buffer.from(request.body).toString("utf8")
                },
                given.json
              )
              return signed ? reply(status, answer) : reply(403, Buffer.from('{"error":"not signed"}'))
            })
        }
        const server = yield* NodeCallback.serve(receiver, { port, host: given.host, grace: "1 second" }).pipe(
          Effect.catchAllDefect((defect) =>
            Effect.fail(new Problem(defect instanceof Error ? defect.message : String(defect)))
          )
        )
        if (given.json) sayJson({ url: server.url })
        else say(`listening at ${server.url}; Ctrl-C ends it`)
        return yield* Effect.never
      })
    )
    return run(program, { json: given.json, endless: true })
  }
})
