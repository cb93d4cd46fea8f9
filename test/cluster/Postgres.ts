/**
 * A Postgres of our own, from Debian's packages, that can be stopped dead and started again.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const binaries = (): string | undefined => {
  const root = "/usr/lib/postgresql"
  const versions = Fs.existsSync(root) ? Fs.readdirSync(root) : []
  return versions.map((version) => join(root, version, "bin")).find((bin) => Fs.existsSync(join(bin, "initdb")))
}

/** Whether Postgres is installed here. */
export const isHere = binaries() !== undefined

/** What to say where it is not. */
export const skipped = "SKIPPED: no Postgres on this machine (apt-get install -y postgresql)"

// Postgres refuses to run as root; its package makes a user for it.
const identity = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** A port of 127.0.0.1 that nobody listens at. */
export const freePort = Effect.async<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as Net.AddressInfo // it listens on a port
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** A folder for the length of the scope. */
export const newFolder = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(join(tmpdir(), name))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )

/** Kills a process and waits until it is gone. */
export const end = (child: ChildProcess, signal: NodeJS.Signals): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill(signal)
  })

export interface Postgres {
  /** `pg:<port>`. */
  readonly address: string
  readonly port: number
  /** The folder of its programs. */
  readonly bin: string
  /** Stops it dead, as a crash does, and starts it again so many milliseconds later. */
  readonly restart: (millis: number) => Effect.Effect<void>
}

/** What need not survive the machine. */
export const forgetful = { fsync: "off" }

/**
 * An empty Postgres that ends with the scope. It trusts whoever reaches it on 127.0.0.1. `settings` are those of its
 * configuration.
 */
export const make = (
  settings: Readonly<Record<string, string>> = forgetful
): Effect.Effect<Postgres, never, Scope.Scope> =>
  Effect.gen(function* () {
    const bin = binaries()
    if (bin === undefined) return yield* Effect.dieMessage(skipped)
    const folder = yield* newFolder("cluster-postgres-")
    const as = identity()
    if (as.uid !== undefined) Fs.chownSync(folder, as.uid, as.gid ?? 0)
    const port = yield* freePort
    const data = join(folder, "data")
    const options = { ...as, cwd: folder, stdio: "ignore" } as const
    execFileSync(join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], options)
    const configuration = { listen_addresses: "127.0.0.1", max_connections: "200", ...settings }
    const flags = Object.entries(configuration).flatMap(([name, value]) => ["-c", `${name}=${value}`])
    const isReady = Effect.try(() =>
      execFileSync(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" })
    )
    const start = Effect.gen(function* () {
      const child = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), "-k", folder, ...flags], options)
      yield* Effect.orDie(Effect.retry(isReady, Schedule.intersect(Schedule.spaced("50 millis"), Schedule.recurs(400))))
      return child
    })
    let server = yield* start
    yield* Effect.addFinalizer(() => Effect.suspend(() => end(server, "SIGQUIT")))
    return {
      address: `pg:${port}`,
      port,
      bin,
      restart: (millis) =>
        Effect.gen(function* () {
          yield* end(server, "SIGQUIT")
          yield* Effect.sleep(millis)
          server = yield* start
        })
    }
  })
