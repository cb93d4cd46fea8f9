/**
 * `policy evaluate`: whether a form would be let through by its policy, and if not, in OSS's own words, why.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { basename } from "node:path"
import { SignedForm } from "../../../core/model/SignedForm.ts"
import * as ObjectHeaders from "../../../core/wire/ObjectHeaders.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as Command from "../Command.ts"
import * as Reading from "../Reading.ts"
import { Problem, run } from "../Run.ts"
import { green, red, say, sayJson } from "../Terminal.ts"
import * as Units from "../Units.ts"

interface Subject {
  readonly policy: string
  readonly bucket: string | undefined
  readonly fields: Readonly<Record<string, string>>
}

const decodeForm = Schema.decodeUnknownOption(Schema.parseJson(SignedForm))

/** A signed form, a policy in JSON, or a policy in base64 as a form carries it. */
const subjectOf = (text: string): Subject =>
  Option.match(decodeForm(text), {
    onSome: ({ bucket, fields }) => ({ policy: fields["policy"] ?? "", bucket, fields }),
    onNone: () => {
      const bare = text.trim()
      const policy = bare.startsWith("{") ? Buffer.from(bare).toString("base64") : bare
      return { policy, bucket: undefined, fields: { policy } }
    }
  })

export const command = Command.make({
  name: "policy evaluate",
  about:
    "FORM is what `policy sign --json` printed, or a policy in JSON or base64; - is standard input. The same evaluation\n" +
    "runs in the library before an upload, and in the emulator. Exit code 0 when it lets the form through, 1 when not.",
  operands: ["FORM"],
  options: {
    key: { kind: "text", value: "KEY", about: "the key to upload to; ${filename} is the file's name" },
    file: { kind: "text", value: "FILE", about: "the file to upload: its size and type" },
    size: { kind: "text", value: "SIZE", about: "the size instead of a file" },
    type: { kind: "text", value: "TYPE", about: "the file's Content-Type, default by the key's ending" },
    field: { kind: "texts", value: "NAME=VALUE", about: "another field of the form" },
    bucket: { kind: "text", value: "BUCKET", about: "where it is posted to, where the form does not say" },
    at: { kind: "text", value: "TIME", about: "at this moment, 2026-01-31T12:00:00Z; default now" },
    ...Command.json
  },
  examples: [
    {
      about: "may this file go up?",
      line: "effect-oss policy evaluate grant.json --key avatars/u_42/me.png --file me.png"
    },
    { about: "and a larger one?", line: "effect-oss policy evaluate grant.json --key avatars/u_42/me.png --size 6MiB" }
  ],
  run: async ({ operands: [file = ""], options: given }) => {
    const at = given.at === undefined ? undefined : Date.parse(given.at)
    if (Number.isNaN(at))
      throw new Command.Usage(`--at must be a moment such as 2026-01-31T12:00:00Z, got "${given.at}"`)
    if (given.file !== undefined && given.size !== undefined) throw new Command.Usage("give --file or --size, not both")
    const size = given.size === undefined ? undefined : Units.bytes("--size", given.size)
    const own = Units.pairs("--field", given.field)

    const program = Effect.gen(function* () {
      const { bucket, fields, policy } = subjectOf(yield* Reading.text(file))
      const parsed = PostPolicy.parseBase64(policy)
      if (Either.isLeft(parsed)) return yield* Effect.fail(new Problem(parsed.left.message))
      const source = given.file === undefined ? undefined : yield* FileSource.make(given.file)
      const filename = basename(given.file ?? "file")
      const key = given.key ?? fields["key"]
      const contentType =
        given.type ?? (key === undefined ? undefined : ObjectHeaders.typeOf(key.replaceAll("${filename}", filename)))
      const form: PostPolicy.Form = {
        bucket: given.bucket ?? bucket ?? "",
        fields: Object.entries({ ...(key === undefined ? {} : { key }), ...own, ...fields }),
        file: { size: source?.size ?? size ?? 0, contentType }
      }
      const verdict = PostPolicy.evaluate(parsed.right, form, at ?? (yield* Clock.currentTimeMillis))
      if (Either.isRight(verdict)) {
        if (given.json) sayJson({ allowed: true })
        else say(green("allowed", process.stdout))
        return Command.exitCode.done
      }
      const { code, condition, ec, message, status } = verdict.left
      if (given.json)
        sayJson({ allowed: false, status, code, ec, message, ...(condition === undefined ? {} : { condition }) })
      else say(`${red("refused", process.stdout)}: ${status} ${code} (EC ${ec})\n  ${message}`)
      return Command.exitCode.failed
    })
    return run(program, given)
  }
})
