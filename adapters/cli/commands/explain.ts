/**
 * `explain`: why OSS found another signature, from its own refusal: SignatureDoesNotMatch.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import * as Explain from "../../../core/wire/Explain.ts"
import * as Xml from "../../../core/wire/Xml.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as Reading from "../Reading.ts"
import { Problem, run } from "../Run.ts"
import * as Mistakes from "../SignatureMistakes.ts"
import { bold, say, sayJson } from "../Terminal.ts"

interface Refusal extends Mistakes.Refused {
  readonly accessKeyId: string
  readonly ec: string
  readonly requestId: string
}

const errorDocument = /<Error>[\s\S]*<\/Error>/

/** The refusal in whatever text surrounds it: a log, curl's output, a stack trace. */
const refusalIn = (text: string): Either.Either<Refusal, string> =>
  Either.gen(function* () {
    const [xml] = errorDocument.exec(text) ?? []
    if (xml === undefined) return yield* Either.left("holds no <Error> document")
    const document = yield* Either.mapLeft(
      Xml.parse(Buffer.from(xml), "Error"),
      (reason) => `cannot be read: ${reason}`
    )
    const field = (name: string): string => {
      const value = document[name]
      return typeof value === "string" ? value : ""
    }
    const code = field("Code")
    if (code !== "SignatureDoesNotMatch") {
      return yield* Either.left(`is about ${code || "no code"}, not SignatureDoesNotMatch: ${field("Message")}`)
    }
    const stringToSign = field("StringToSign").trim()
    if (stringToSign === "") return yield* Either.left("does not tell the text that OSS signed (StringToSign)")
    return {
      stringToSign,
      canonicalRequest: field("CanonicalRequest").trim() || undefined,
      provided: field("SignatureProvided"),
      accessKeyId: field("OSSAccessKeyId"),
      ec: field("EC"),
      requestId: field("RequestId")
    }
  })

/** What our own text and OSS's say together; the signature that came is hidden in it. */
const compared = (ours: string, refusal: Refusal): string | undefined => {
  const canonicalRequest = ours.trim()
  const hash = createHash("sha256").update(canonicalRequest, "utf8").digest("hex")
  const stringToSign = [...refusal.stringToSign.split("\n").slice(0, 3), hash].join("\n")
  return Explain.explain({ canonicalRequest, stringToSign, signature: refusal.provided }, refusal)
}

const sentence = (diagnosis: Mistakes.Diagnosis): string => {
  switch (diagnosis._tag) {
    case "OtherSecret":
      return "the text was signed as OSS reads it, with the secret you have here; so OSS knows another secret for this AccessKeyId"
    case "Mistake":
      return diagnosis.name
    case "Unknown":
      return `not one of ${diagnosis.tried} usual mistakes, made with the secret you have here: another secret signed, or another text; compare yours by --ours`
  }
}

const secretLine = /^((?:x-oss-)?(?:security-token|callback|callback-var|signature)|authorization)([:=])/i

/** Lines of what OSS signed, by what they are; secrets are hidden. */
const labelled = ({ canonicalRequest, stringToSign }: Refusal): ReadonlyArray<readonly [string, string]> => {
  const hide = (line: string): string =>
    line
      .split("&")
      .map((piece) => piece.replace(secretLine, "$1$2(hidden)\u0000").replace(/\u0000.*/s, ""))
      .join("&")
  if (canonicalRequest === undefined) return stringToSign.split("\n").map((line) => ["signed", hide(line)])
  const lines = canonicalRequest.split("\n")
  return lines.map((line, i) => {
    const fromEnd = lines.length - i
    const label =
      ["method", "path", "query"][i] ??
      (fromEnd === 1 ? "payload" : fromEnd === 2 ? "additional headers" : fromEnd === 3 ? "end of headers" : "header")
    return [label, hide(line)]
  })
}

export const command = Command.make({
  name: "explain",
  about:
    "REFUSAL is OSS's answer, in whatever surrounds it; - is standard input. With the keys at hand (as for other commands),\n" +
    "each of the usual mistakes is made on purpose, to find the one whose signature was sent. --ours is the canonical\n" +
    "request as your client made it. No secret is printed. Exit code 0 when the cause is found, else 1.",
  operands: ["REFUSAL"],
  options: {
    ours: { kind: "text", value: "FILE", about: "the canonical request that your client signed" },
    ...Connection.options,
    ...Command.json
  },
  examples: [
    { about: "paste it, then Ctrl-D", line: "effect-oss explain -" },
    { about: "compare with what your client signed", line: "effect-oss explain refusal.xml --ours canonical.txt" }
  ],
  run: async ({ operands: [file = ""], options: given }) => {
    const { credentials } = Connection.find(given)
    const program = Effect.gen(function* () {
      const found = refusalIn(yield* Reading.text(file))
      if (Either.isLeft(found))
        return yield* Effect.fail(new Problem(`${file === "-" ? "the text" : file} ${found.left}`))
      const refusal = found.right
      const ours = given.ours === undefined ? undefined : yield* Reading.text(given.ours)
      const keys = credentials?.value.accessKeyId === refusal.accessKeyId ? credentials.value : undefined
      const diagnosis =
        keys === undefined ? undefined : Mistakes.diagnose(refusal, Redacted.value(keys.accessKeySecret))
      const intact = Mistakes.isIntact(refusal)
      const causes = [
        ...(ours === undefined ? [] : [compared(ours, refusal) ?? "both texts are the same"]),
        ...(diagnosis === undefined ? [] : [sentence(diagnosis)])
      ]
      if (given.json) {
        const { canonicalRequest, ec, requestId } = refusal
        const version = Mistakes.isV4(refusal) ? 4 : 1
        const lines = labelled(refusal).map(([label, line]) => ({ label, line }))
        sayJson({ version, requestId, ec, causes, intact, told: canonicalRequest !== undefined, lines })
      } else {
        const heading = (text: string) => say(bold(text, process.stdout))
        for (const cause of causes) say(cause)
        if (!intact) say("The canonical request has been changed since OSS wrote it: its hash is another.")
        if (keys === undefined) {
          say(
            `No secret for AccessKeyId ${refusal.accessKeyId} is at hand; with it (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET)\n` +
              "the usual mistakes can be tried."
          )
        }
        heading(`\nOSS signed, by version ${Mistakes.isV4(refusal) ? 4 : 1}:`)
        for (const [label, line] of labelled(refusal)) say(`  ${label.padEnd(18)}  ${line}`)
      }
      const isFound = ours !== undefined || (diagnosis !== undefined && diagnosis._tag !== "Unknown")
      return isFound ? Command.exitCode.done : Command.exitCode.failed
    })
    return run(program, given)
  }
})
