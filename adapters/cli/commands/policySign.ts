/**
 * `policy sign`: a form with which one file can be uploaded without keys, within conditions.
 */
import * as Effect from "effect/Effect"
import type { SignedForm } from "../../../core/model/SignedForm.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as CallbackOptions from "../CallbackOptions.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as Curl from "../Curl.ts"
import * as PolicyOptions from "../PolicyOptions.ts"
import { run } from "../Run.ts"
import { say, sayJson } from "../Terminal.ts"
import * as Units from "../Units.ts"

const print = (form: SignedForm, given: { readonly json: boolean; readonly curl: boolean }, key: string): void => {
  if (given.json) return sayJson(form)
  if (given.curl) return say(Curl.form(form, key, undefined))
  say(`POST to ${form.url} as multipart/form-data, the file last:\n`)
  say(`  key: ${key}`)
  for (const [name, value] of Object.entries(form.fields)) say(`  ${name}: ${value}`)
  say(`\nIt holds until ${new Date(form.expiresAt).toISOString()}, for whoever has it. What it permits:\n`)
  say(`  ${Buffer.from(form.fields["policy"] ?? "", "base64").toString("utf8")}`)
}

export const command = Command.make({
  name: "policy sign",
  about:
    "What no condition names, the uploader may choose, the key among it: give --key or --key-prefix. Signing reaches no\n" +
    "server. With --json it prints what `form --grant`, `policy evaluate` and Upload.form of the library read.",
  operands: ["oss://BUCKET"],
  options: {
    ...PolicyOptions.options,
    expires: { kind: "text", value: "TIME", about: "1s to 7d, default 10m" },
    curl: { kind: "flag", about: "print a line for the shell" },
    ...CallbackOptions.options,
    ...Connection.options,
    ...Command.json
  },
  examples: [
    {
      about: "one picture of at most 5 MiB, for ten minutes",
      line: "effect-oss policy sign oss://examplebucket --key-prefix avatars/u_42/ --max-size 5MiB --type image/png --type image/jpeg"
    },
    {
      about: "keep it for `form`",
      line: "effect-oss policy sign oss://examplebucket --key-prefix avatars/ --max-size 5MiB --json > grant.json"
    }
  ],
  run: async ({ operands: [url = ""], options: given }) => {
    const { bucket, key } = Units.ossUrl(url)
    if (key !== "") throw new Command.Usage(`must be oss://BUCKET; the key is a condition: --key ${key}`)
    const conditions = PolicyOptions.make(given)
    if (conditions.length === 0) {
      throw new Command.Usage("no conditions: anybody could write any object; give --key or --key-prefix")
    }
    const expiresIn = Units.seconds("--expires", given.expires ?? "10m") * 1000
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const callback = CallbackOptions.make(given)
    const program = Effect.map(
      Presign.postObject({ expiresIn, conditions, callback, forbidOverwrite: given["no-overwrite"] }),
      (form) => {
        print(form, given, given.key ?? `${given["key-prefix"] ?? ""}\${filename}`)
        return Command.exitCode.done
      }
    )
    return run(Effect.provide(program, NodeOss.layer(connection)), given)
  }
})
