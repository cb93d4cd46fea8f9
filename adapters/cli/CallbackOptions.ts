/**
 * A callback, put together from options: whom OSS calls, and what it tells.
 */
import * as Schema from "effect/Schema"
import * as Callback from "../../core/wire/Callback.ts"
import { Usage, type Options, type Values } from "./Command.ts"
import * as Units from "./Units.ts"

export const options = {
  "callback-url": { kind: "texts", value: "URL", about: "whom OSS calls once the object is stored" },
  "callback-body": {
    kind: "text",
    value: "TEMPLATE",
    about: "what it says, with ${object}, ${size}, ${x:name} … in it"
  },
  "callback-json": { kind: "flag", about: "the template is JSON, not a form" },
  "callback-var": { kind: "texts", value: "NAME=VALUE", about: "what ${x:NAME} stands for" },
  "callback-host": { kind: "text", value: "HOST", about: "the callback's Host header" }
} as const satisfies Options

/** What a callback says unless asked otherwise: what every application needs to know. */
export const defaultForm = "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&mimeType=${mimeType}"
const defaultJson = '{"bucket":${bucket},"object":${object},"size":${size},"etag":${etag},"mimeType":${mimeType}}'

/** The variables' names get their `x:` where it is left out. */
export const variables = (given: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(Units.pairs("--callback-var", given)).map(([name, value]) => [
      name.startsWith("x:") ? name : `x:${name}`,
      value
    ])
  )

const withVariables = (template: string, given: Readonly<Record<string, string>>, json: boolean): string => {
  const added = Object.keys(given).map((variable) => [variable.slice("x:".length), `\${${variable}}`])
  return json
    ? template.replace(/\}$/, `${added.map(([name, value]) => `,${JSON.stringify(name)}:${value}`).join("")}}`)
    : template + added.map(([name, value]) => `&${name}=${value}`).join("")
}

/** The callback; whatever JSON the application answers is taken. Throws `Usage` for options that miss a URL. */
export const make = (given: Values<typeof options>): Callback.Callback<unknown> | undefined => {
  const urls = given["callback-url"]
  const json = given["callback-json"]
  const body = given["callback-body"]
  const host = given["callback-host"]
  if (urls.length === 0) {
    if (body === undefined && !json && given["callback-var"].length === 0 && host === undefined) return undefined
    throw new Usage("--callback-url is missing: whom should OSS call?")
  }
  const own = variables(given["callback-var"])
  return Callback.raw({
    url: urls,
    body: body ?? withVariables(json ? defaultJson : defaultForm, own, json),
    bodyType: json ? "json" : "form",
    variables: own,
    response: Schema.Unknown,
    host
  })
}
