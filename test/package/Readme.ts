/**
 * The README's first steps, taken from its text: what to install, and the first code, copied into an empty folder.
 *
 * The code is run against an emulator from the package, as no key for a real bucket is here: in place of the README's layer for
 * one goes a layer for the emulator. All else is the README's, to the letter.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "./Machine.ts"

const text = Fs.readFileSync(Path.join(root, "README.md"), "utf8")

/** What the README says to install, with the tarball in place of the name. */
export const packages = (tarball: string): ReadonlyArray<string> => {
  const command = /^> npm i (.+)$/m.exec(text)?.[1]
  if (command === undefined) throw new Error("the README does not say what to install")
  return command.split(" ").map((name) => (name === "effect-oss" ? tarball : name))
}

const section = /^## First code$([\s\S]*?)^The same contract/m.exec(text)?.[1] ?? ""

/** The program that runs the first code. */
export const program = "first.ts"

/** The files of the first code by their names, and the program. */
export const files: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...section.matchAll(/<!-- \S*\/(\S+) -->\n+```ts\n([\s\S]*?)```/g)].map(([, name, code]) => [name!, code!])
  ),
  [program]: `
import { OssEmulator } from "effect-oss/emulator"
import { NodeOss } from "effect-oss/node"
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { onVideoUploaded } from "./receive.ts"
import { publish } from "./upload.ts"

writeFileSync("holiday.mp4", new Uint8Array(20 * 1024 * 1024))
const program = Effect.gen(function* () {
  const receivers = { "https://api.example.com/oss/video-uploaded": onVideoUploaded }
  const emulator = yield* OssEmulator.make({ bucket: "media", receivers })
  const { bucket, credentials, endpoint, region } = emulator
  const layer = NodeOss.layer({ bucket, credentials, endpoint, region })
  return yield* publish("holiday.mp4", "u_42").pipe(Effect.provide(layer))
})
Effect.runPromise(Effect.scoped(program)).then((answer) => console.log(answer))
`
}
