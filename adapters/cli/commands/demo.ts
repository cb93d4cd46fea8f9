/**
 * `demo`: the main job, for everybody to see, against the emulator.
 */
import * as Command from "../Command.ts"
import * as Program from "../demo/program.ts"

export const command = Command.make({
  name: "demo",
  about:
    "Uploads by all five methods, with callbacks to a small application server; kills an upload and resumes it; sends a\n" +
    "forged callback. Nothing leaves this machine. With --json, one line for each upload.",
  operands: [],
  options: {
    // How the demo starts the process that it will kill.
    "resumable-upload": { kind: "text", about: "", hidden: true },
    ...Command.json
  },
  examples: [{ about: "see it work", line: "effect-oss demo" }],
  run: ({ args }) => Program.run(args, [process.argv[1] ?? "", "demo"])
})
