/**
 * `presign`: a URL that makes one request possible without keys, and the headers that must go with it.
 */
import * as Effect from "effect/Effect"
import type { PresignedUrl } from "../../../core/model/PresignedUrl.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as CallbackOptions from "../CallbackOptions.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as Curl from "../Curl.ts"
import * as ObjectOptions from "../ObjectOptions.ts"
import { run } from "../Run.ts"
import { say, sayJson } from "../Terminal.ts"
import * as Units from "../Units.ts"

const print = (
  grant: PresignedUrl,
  given: { readonly json: boolean; readonly curl: boolean; readonly file?: string | undefined }
): void => {
  if (given.json) return sayJson(grant)
  if (given.curl) return say(Curl.request(grant, given.file))
  say(grant.url)
  const headers = Object.entries(grant.headers)
  if (headers.length > 0) say(`\n${grant.method} it with exactly these headers:`)
  for (const [name, value] of headers) say(`  ${name}: ${value}`)
  say(`\nIt holds until ${new Date(grant.expiresAt).toISOString()}, for whoever has it.`)
}

export const command = Command.make({
  name: "presign",
  about:
    "What is signed can be neither changed nor left out: key, headers, callback, time. Nothing limits how often the URL is\n" +
    "used until it expires. Signing reaches no server. The options about the object and the callback are for uploads (PUT).",
  operands: ["oss://BUCKET/KEY"],
  options: {
    method: { kind: "text", value: "METHOD", about: "default PUT", choices: ["PUT", "GET", "HEAD", "DELETE"] },
    expires: { kind: "text", value: "TIME", about: "1s to 7d, default 10m" },
    curl: { kind: "flag", about: "print a line for the shell" },
    file: { kind: "text", value: "FILE", about: "what the line for the shell uploads" },
    "callback-in-query": { kind: "flag", about: "the callback travels in the URL, not as headers" },
    ...ObjectOptions.options,
    ...CallbackOptions.options,
    ...Connection.options,
    ...Command.json
  },
  examples: [
    { about: "one upload, for ten minutes", line: "effect-oss presign oss://examplebucket/photo.jpg" },
    {
      about: "a line to paste elsewhere",
      line: "effect-oss presign oss://examplebucket/photo.jpg --expires 1h --content-type image/jpeg --curl --file photo.jpg"
    },
    { about: "a link to read", line: "effect-oss presign oss://examplebucket/photo.jpg --method GET --expires 7d" }
  ],
  run: async ({ operands: [url = ""], options: given }) => {
    const { bucket, key } = Units.objectUrl(url)
    const expiresIn = Units.seconds("--expires", given.expires ?? "10m") * 1000
    const method = (given.method ?? "PUT") as PresignedUrl["method"] // one of its choices
    const connection = Connection.toOptions(Connection.find(given), bucket)
    const callback = CallbackOptions.make(given)
    if (method !== "PUT" && callback !== undefined) throw new Command.Usage("only a PUT can have a callback")
    const sign =
      method === "PUT"
        ? Presign.putObject(key, {
            ...ObjectOptions.make(given),
            expiresIn,
            callback,
            callbackIn: given["callback-in-query"] ? "query" : "headers"
          })
        : Presign.request(key, { method, expiresIn })
    const program = Effect.map(sign, (grant) => {
      print(grant, given)
      return Command.exitCode.done
    })
    return run(Effect.provide(program, NodeOss.layer(connection)), given)
  }
})
