/**
 * `doctor`: looks at all that an upload depends on, and says what is wrong with it. Writes nothing.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Bucket from "../../../core/model/Bucket.ts"
import * as NodeOss from "../../node/NodeOss.ts"
import * as Command from "../Command.ts"
import * as Connection from "../Connection.ts"
import * as Application from "../doctor/application.ts"
import type { Check } from "../doctor/Check.ts"
import * as Cors from "../doctor/cors.ts"
import * as Service from "../doctor/service.ts"
import { run } from "../Run.ts"
import { dim, green, red, say, sayJson, yellow } from "../Terminal.ts"
import * as Units from "../Units.ts"

const marks = {
  ok: ["ok  ", green],
  warn: ["warn", yellow],
  fail: ["FAIL", red],
  skip: ["skip", dim]
} as const

const line = ({ detail, name, status }: Check): string => {
  const [mark, paint] = marks[status]
  return `${paint(mark, process.stdout)}  ${name.padEnd(17)}${detail}`
}

const parseUrl = (option: string, text: string | undefined): URL | undefined => {
  if (text === undefined) return undefined
  if (/^https?:\/\/[^/]/.test(text) && URL.canParse(text)) return new URL(text)
  throw new Command.Usage(`${option} must be an http or https URL, got "${text}"`)
}

export const command = Command.make({
  name: "doctor",
  about:
    "Looks at region, endpoint, keys, network, clock and signature; with --callback-url at the application's answer; with\n" +
    "--origin at the bucket's cross-origin rules. Writes nothing. Exit code 1 when something fails; warnings do not.",
  operands: ["oss://BUCKET"],
  options: {
    "callback-url": { kind: "text", value: "URL", about: "would OSS take what this application answers?" },
    origin: { kind: "text", value: "ORIGIN", about: "may a page of this origin upload? https://app.example.com" },
    ...Connection.options,
    ...Command.json
  },
  examples: [
    { about: "why does it not work?", line: "effect-oss doctor oss://examplebucket" },
    {
      about: "with the application, and a page",
      line: "effect-oss doctor oss://examplebucket --callback-url https://api.example.com/uploaded --origin https://app.example.com"
    }
  ],
  run: async ({ operands: [url = ""], options: given }) => {
    const { bucket: name } = Units.ossUrl(url)
    const callbackUrl = parseUrl("--callback-url", given["callback-url"])
    const origin = parseUrl("--origin", given.origin)?.origin
    const connection = Connection.find(given)
    const { addressing, credentials, endpoint, network, region } = connection

    const program = Effect.gen(function* () {
      const checks: Array<Check> = []
      const tell = (found: ReadonlyArray<Check>) =>
        Effect.sync(() => {
          checks.push(...found)
          if (!given.json) for (const check of found) say(line(check))
        })
      const bucket =
        region === undefined
          ? undefined
          : yield* Bucket.make({
              bucket: name,
              region: region.value,
              endpoint: endpoint?.value,
              network,
              addressing
            }).pipe(
              // The region's own check tells of it.
              Either.match({
                onLeft: (error) => (error.field === "region" ? Effect.succeed(undefined) : error),
                onRight: Effect.succeed
              })
            )
      yield* tell(Service.configuration(connection))
      if (bucket !== undefined) yield* Effect.flatMap(Service.reach(bucket), tell)
      if (bucket !== undefined && credentials !== undefined) {
        const client = NodeOss.layer(Connection.toOptions(connection, name))
        yield* Effect.flatMap(Effect.provide(Service.signed, client), tell)
      }
      if (callbackUrl !== undefined) yield* Effect.flatMap(Application.callback(callbackUrl), tell)
      if (bucket !== undefined && origin !== undefined) yield* Effect.flatMap(Cors.cors(bucket, origin), tell)
      const healthy = checks.every(({ status }) => status !== "fail")
      if (given.json) sayJson({ healthy, checks })
      return healthy ? Command.exitCode.done : Command.exitCode.failed
    })
    return run(program, given)
  }
})
