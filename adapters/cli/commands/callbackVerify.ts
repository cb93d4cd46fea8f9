/**
 * `callback verify`: whether a captured request was signed by OSS, over the bytes as they arrived.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CallbackSignature from "../../../core/wire/CallbackSignature.ts"
import * as NodeCrypto from "../../node/NodeCrypto.ts"
import * as CapturedRequest from "../CapturedRequest.ts"
import * as Command from "../Command.ts"
import * as Reading from "../Reading.ts"
import { Problem, run } from "../Run.ts"
import { green, red, say, sayJson } from "../Terminal.ts"
import * as TrustOptions from "../TrustOptions.ts"

export const command = Command.make({
  name: "callback verify",
  about:
    "REQUEST is request line, headers, an empty line and the body, byte by byte; - is standard input. Signed are path, query\n" +
    "and body; a proxy that rewrites one of them breaks the signature. Exit code 0 when the signature is good, else 1.",
  operands: ["REQUEST"],
  options: { ...TrustOptions.options, ...Command.json },
  examples: [{ about: "did OSS send this?", line: "effect-oss callback verify captured.http" }],
  run: async ({ operands: [file = ""], options: given }) => {
    const program = Effect.gen(function* () {
      const trusted = yield* TrustOptions.keys(given)
      const captured = CapturedRequest.parse(yield* Reading.bytes(file))
      if (Either.isLeft(captured)) return yield* Effect.fail(new Problem(`${file}: ${captured.left}`))
      const verdict = CallbackSignature.verify(NodeCrypto.crypto, trusted, captured.right)
      const body = Buffer.from(captured.right.body).toString("utf8")
      if (Either.isRight(verdict)) {
        if (given.json) sayJson({ signed: true, body })
        else say(`${green("signed", process.stdout)} by a trusted key\n  ${body}`)
        return Command.exitCode.done
      }
      const { detail, reason } = verdict.left
      if (given.json) sayJson({ signed: false, reason, detail, body })
      else say(`${red("not signed", process.stdout)}: ${detail} (${reason})`)
      return Command.exitCode.failed
    })
    return run(program, given)
  }
})
