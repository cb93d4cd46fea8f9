/**
 * `callback render`: the body that OSS would send for a template, and the headers that order it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Callback from "../../../core/wire/Callback.ts"
import * as CallbackOptions from "../CallbackOptions.ts"
import * as Command from "../Command.ts"
import { run } from "../Run.ts"
import { say, sayJson } from "../Terminal.ts"
import * as Units from "../Units.ts"

/** An upload that never was, for what is not given. */
const sample: Readonly<Record<string, string | number>> = {
  bucket: "examplebucket",
  object: "photos/me.jpg",
  etag: "D8E8FCA2DC0F896FD7CB4CB0031BA249",
  size: 1_048_576,
  mimeType: "image/jpeg",
  "imageInfo.height": 480,
  "imageInfo.width": 640,
  "imageInfo.format": "jpg",
  crc64: "11051210869376104954",
  contentMd5: "2Oj8otwPiW/Xy0ywAxuiSQ==",
  vpcId: "",
  clientIp: "203.0.113.7",
  reqId: "6B01751A151EE5E4E4086D1F",
  operation: "PutObject"
}

const numbers: ReadonlySet<string> = new Set(["size", "imageInfo.height", "imageInfo.width", "crc64"])

/** JSON states numbers bare, and a CRC-64 is beyond what a number holds. */
const asKind = (name: string, value: string | number): string | number | bigint =>
  numbers.has(name) && /^\d+$/.test(String(value)) ? BigInt(value) : value

export const command = Command.make({
  name: "callback render",
  about:
    "What --set does not give is taken from an upload made up for this. A template that OSS would refuse, or that could not\n" +
    "become what it should be, is refused here (exit code 2).",
  operands: [],
  options: {
    set: { kind: "texts", value: "NAME=VALUE", about: "what ${NAME} stands for: object, size, etag …" },
    ...CallbackOptions.options,
    ...Command.json
  },
  examples: [
    {
      about: "as a form",
      line: "effect-oss callback render --callback-body 'key=${object}&user=${x:user}' --callback-var user=u_42"
    },
    {
      about: "as JSON, with the headers for the upload",
      line: "effect-oss callback render --callback-url https://api.example.com/uploaded --callback-json --json"
    }
  ],
  run: async ({ options: given }) => {
    const settings = Units.pairs("--set", given.set)
    const urls = given["callback-url"].length === 0 ? ["https://example.com/callback"] : given["callback-url"]
    const callback = CallbackOptions.make({ ...given, "callback-url": urls }) ?? Callback.policy("", Schema.Unknown)
    const program = Effect.gen(function* () {
      const headers = yield* Callback.headers(callback)
      const { bodyType, template, variables } = callback.order! // only a callback kept by the bucket has none
      const known = { ...sample, ...settings, ...variables }
      const lookup: Callback.Lookup = (name) => {
        const value = Object.hasOwn(known, name) ? known[name] : undefined
        return value === undefined || value === "" ? undefined : asKind(name, value)
      }
      const body = Callback.render(template, bodyType, lookup)
      if (given.json) sayJson({ contentType: bodyType, template, body, headers })
      else {
        say(body)
        if (given["callback-url"].length > 0) {
          say("")
          for (const [name, value] of Object.entries(headers)) say(`${name}: ${value}`)
        }
      }
      return Command.exitCode.done
    })
    return run(program, given)
  }
})
