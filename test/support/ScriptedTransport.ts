/**
 * A transport that answers from a script, one step for each request, and remembers what it was sent.
 */
import * as Effect from "effect/Effect"
import * as Utf8 from "../../core/model/Utf8.ts"
import { TransportError } from "../../core/model/OssError.ts"
import type { Request, Response, Service } from "../../core/ports/Transport.ts"

export type Step = Response | TransportError | Effect.Effect<Response, TransportError>

export interface ScriptedTransport extends Service {
  readonly requests: Array<Request>
}

export const make = (...steps: ReadonlyArray<Step>): ScriptedTransport => {
  const requests: Array<Request> = []
  return {
    requests,
    send: (request) =>
      Effect.suspend(() => {
        const step = steps[requests.push(request) - 1]
        if (step === undefined) return Effect.dieMessage(`the script has no step ${requests.length}`)
        return "status" in step ? Effect.succeed(step) : step
      })
  }
}

export const answer = (status: number, body = "", headers: Record<string, string> = {}): Response => ({
  status,
  headers: { "x-oss-request-id": "65A1", ...headers },
  body: Utf8.encode(body)
})

export const refusal = (status: number, code: string, more = ""): Response =>
  answer(status, `<Error><Code>${code}</Code><Message>no</Message><RequestId>65A1</RequestId>${more}</Error>`)

export const broken = (sent: "nothing" | "unknown"): TransportError =>
  new TransportError({ reason: sent === "nothing" ? "Connect" : "Reset", sent, host: "h", detail: "broken" })
