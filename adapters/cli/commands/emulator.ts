/**
 * `emulator`: OSS on this machine, until Ctrl-C.
 */
import * as Effect from "effect/Effect"
import * as Announcement from "../../emulator/Announcement.ts"
import * as Arguments from "../../emulator/Arguments.ts"
import * as OssEmulator from "../../emulator/OssEmulator.ts"
import * as Command from "../Command.ts"
import { Problem, run } from "../Run.ts"
import { bold, say, sayJson } from "../Terminal.ts"

const print = (told: Announcement.Announcement, asJson: boolean): void => {
  if (asJson) return sayJson(told)
  say(`OSS (the emulator) at ${told.endpoint}, bucket ${told.buckets.join(", ")}; Ctrl-C ends it`)
  if (told.control !== undefined) say(`faults can be ordered at ${told.control}`)
  say(`\n${bold("in another shell", process.stdout)}`)
  say(`  export OSS_ENDPOINT=${told.endpoint} OSS_REGION=${told.region} OSS_ACCESS_KEY_ID=${told.accessKeyId}`)
  if (told.accessKeySecret !== undefined) say(`  export OSS_ACCESS_KEY_SECRET=${told.accessKeySecret}`)
}

export const command = Command.make({
  name: "emulator",
  about:
    "Speaks OSS's protocol, checks signatures, and calls back. With --json, its first line says where it listens. A second\n" +
    "port, --control, takes orders for faults: a dropped part, a lost answer, a wrong clock.",
  operands: [],
  options: {
    port: { kind: "text", value: "PORT", about: "where to listen, default 9000; 0 takes any free port" },
    host: { kind: "text", value: "ADDRESS", about: "default 127.0.0.1, which nobody else can reach" },
    data: { kind: "text", value: "FOLDER", about: "keeps the data there; default: a temporary folder" },
    region: { kind: "text", value: "ID", about: "default cn-hangzhou" },
    bucket: { kind: "texts", value: "NAME", about: "a bucket that is there from the start, default examplebucket" },
    acl: {
      kind: "text",
      value: "ACL",
      about: "of these buckets",
      choices: ["private", "public-read", "public-read-write"]
    },
    "access-key": {
      kind: "texts",
      value: "ID:SECRET[:TOKEN]",
      about: "who may sign; default: a key made up and printed",
      secret: "fine for a key that is good for nothing else"
    },
    cname: { kind: "texts", value: "HOST=BUCKET", about: "a domain bound to a bucket" },
    "service-host": {
      kind: "texts",
      value: "HOST",
      about: "another name of the service, so that BUCKET.HOST is a bucket"
    },
    cors: { kind: "flag", about: "lets pages of any origin upload to and read from these buckets" },
    "v4-only": { kind: "flag", about: "refuses signatures of version 1" },
    "public-callbacks": { kind: "flag", about: "calls back to public addresses only, as OSS does" },
    control: {
      kind: "text",
      value: "PORT",
      about: "a second port, on the loopback, for faults; 0 takes any free port"
    },
    ...Command.json
  },
  examples: [
    { about: "for trying things out", line: "effect-oss emulator" },
    { about: "for the tests of a web page", line: "effect-oss emulator --port 0 --bucket media --cors --json" }
  ],
  run: async ({ args, options: given }) => {
    const parsed = Arguments.parse(args.filter((argument) => argument !== "--json"))
    if (parsed._tag !== "Run") throw new Command.Usage(parsed._tag === "Wrong" ? parsed.reason : "")
    const program = Effect.scoped(
      Effect.gen(function* () {
        const oss = yield* OssEmulator.make(parsed.options)
        print(Announcement.make(oss, parsed), given.json)
        return yield* Effect.never
      })
    ).pipe(
      // A port that is taken, or a folder that cannot be used.
      Effect.catchAllDefect((defect) =>
        Effect.fail(new Problem(defect instanceof Error ? defect.message : String(defect)))
      )
    )
    return run(program, { json: given.json, endless: true })
  }
})
