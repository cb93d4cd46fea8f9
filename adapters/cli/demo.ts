/**
 * `npm start`: see `demo/program.ts`.
 */
import * as Program from "./demo/program.ts"

process.exitCode = await Program.run(process.argv.slice(2), [process.argv[1] ?? ""])
