/**
 * `form`: uploads a file by a signed form, as a browser would: one PostObject.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { basename } from "node:path"
import { SignedForm } from "../../../core/model/SignedForm.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as Upload from "../../../core/programs/Upload.ts"
import * as Callback from "../../../core/wire/Callback.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as FileSource from "../../node/FileSource.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as CallbackOptions from "../CallbackOptions.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as ProgressLine from "../ProgressLine.ts"
import * as Reading from "../Reading.ts"
import * as Receipt from "../Receipt.ts"
import { Problem, run } from "../Run.ts"
import * as Units from "../Units.ts"
import * as Uploading from "../Uploading.ts"

/** A grant's callback is in its fields; what the application answers is taken whatever it is. */
const anyAnswer = Callback.policy("unknown", Schema.Unknown)

export const command = Command.make({
  name: "form",
  about:
    "With --grant, needs no keys: the form is what `policy sign --json` printed, and the second operand is the key. Without,\n" +
    "signs a form for this one upload. The policy is run here before a byte is sent.",
  operands: ["FILE", "KEY-OR-oss://BUCKET/KEY"],
  options: {
    grant: { kind: "text", value: "FILE", about: "a signed form; - is standard input" },
    "content-type": { kind: "text", value: "TYPE", about: "default: what the form fixes, else by the key's ending" },
    field: { kind: "texts", value: "NAME=VALUE", about: "another field: x-oss-meta-…, x:…" },
    ...CallbackOptions.options,
    ...Connection.options,
    ...ProgressLine.options,
    ...Command.json
  },
  examples: [
    { about: "sign and upload", line: "effect-oss form me.png oss://examplebucket/avatars/u_42/me.png" },
    {
      about: "upload by somebody else's form, without keys",
      line: "effect-oss form me.png 'avatars/u_42/${filename}' --grant grant.json"
    }
  ],
  run: async ({ operands: [file = "", target = ""], options: given }) => {
    const ownFields = Units.pairs("--field", given.field)
    const ownCallback = CallbackOptions.make(given)
    const upload = (grant: SignedForm, key: string, hasCallback: boolean) =>
      Effect.gen(function* () {
        const source = yield* FileSource.make(file)
        const onProgress = yield* ProgressLine.make(key, given)
        const options = { filename: basename(file), contentType: given["content-type"], fields: ownFields, onProgress }
        return yield* hasCallback
          ? Upload.form(grant, key, source, { ...options, callback: anyAnswer })
          : Upload.form(grant, key, source, options)
      }).pipe(
        Effect.scoped,
        // What the policy refuses is an outcome, not a wrong command line.
        Effect.catchIf(
          (error) => error._tag === "InvalidParam" && error.field === "form",
          (error) => Effect.fail(new Problem(error.message))
        )
      )

    if (given.grant !== undefined) {
      const keyed = target.startsWith("oss://") ? Uploading.destination(target, file) : undefined
      if (ownCallback !== undefined) throw new Command.Usage("the callback stands in the grant: leave --callback-… out")
      const grantFile = given.grant
      const program = Effect.gen(function* () {
        const grant = yield* Reading.json(grantFile, SignedForm, "a signed form as policy sign --json prints it")
        if (keyed !== undefined && keyed.bucket !== grant.bucket) {
          return yield* Effect.fail(
            new Problem(`the grant is for oss://${grant.bucket}, not for oss://${keyed.bucket}`)
          )
        }
        return yield* upload(grant, keyed?.key ?? target, "callback" in grant.fields)
      })
      return run(Receipt.printed(program, given).pipe(Effect.provide(NodeOss.layerWithoutClient())), given)
    }

    const { bucket, key } = Uploading.destination(target, file)
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const program = Effect.gen(function* () {
      const conditions = [PostPolicy.eq("key", key)]
      const grant = yield* Presign.postObject({ expiresIn: "10 minutes", conditions, callback: ownCallback })
      return yield* upload(grant, key, ownCallback !== undefined)
    })
    return run(Receipt.printed(program, given).pipe(Effect.provide(NodeOss.layer(connection))), given)
  }
})
