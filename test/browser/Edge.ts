/**
 * workerd, the runtime of Cloudflare's workers, with one worker of ours.
 */
import * as esbuild from "esbuild"
import { spawn } from "node:child_process"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"

export interface Edge {
  readonly url: string
  readonly close: () => Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = Net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as Net.AddressInfo // it listens on a port
      server.close(() => resolve(port))
    })
  })

// The loopback is a private address; workers may reach public ones only unless told so.
const config = (port: number): string => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2025-11-01",
      compatibilityFlags = ["enable_request_signal"],
    )),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "worker")],
);
`

/** Runs a worker until it is closed. */
export const open = async (entry: string): Promise<Edge> => {
  const folder = await Fs.mkdtemp(Path.join(Os.tmpdir(), "effect-oss-edge-"))
  await esbuild.build({
    entryPoints: [Path.join(import.meta.dirname, entry)],
    bundle: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    outfile: Path.join(folder, "worker.js")
  })
  const port = await freePort()
  await Fs.writeFile(Path.join(folder, "config.capnp"), config(port))
  const program = Path.join(import.meta.dirname, "node_modules/workerd/bin/workerd")
  const child = spawn(program, ["serve", Path.join(folder, "config.capnp")], { stdio: "inherit" })
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; ; i++) {
    const answers = await new Promise<boolean>((resolve) => {
      const socket = Net.connect(port, "127.0.0.1", () => resolve(true))
      socket.on("error", () => resolve(false)).on("connect", () => socket.destroy())
    })
    if (answers) break
    if (i === 200 || child.exitCode !== null) throw new Error("workerd does not listen")
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url,
    close: async () => {
      child.kill()
      await ended
      await Fs.rm(folder, { recursive: true, force: true })
    }
  }
}
