/**
 * Databases for tests: SQLite in a file, and a Postgres of our own where its programs are installed.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { execFileSync, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A client of the database at `address`: `sqlite:<file>` or `pg:<port>`. Dies when it cannot be reached. */
export const client = (address: string): Layer.Layer<SqlClient.SqlClient> => {
  const [kind, where] = [address.slice(0, address.indexOf(":")), address.slice(address.indexOf(":") + 1)]
  return kind === "sqlite"
    ? SqliteClient.layer({ filename: where }).pipe(Layer.orDie)
    : PgClient.layer({ host: "127.0.0.1", port: Number(where), username: "postgres", database: "postgres" }).pipe(
        Layer.orDie
      )
}

const newFolder = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Fs.mkdtempSync(join(tmpdir(), name))),
    (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true, force: true }))
  )

/** The address of an empty SQLite database. */
export const sqlite = Effect.map(newFolder("cluster-sqlite-"), (folder) => `sqlite:${join(folder, "cluster.db")}`)

const binaries = (): string | undefined => {
  const root = "/usr/lib/postgresql"
  const versions = Fs.existsSync(root) ? Fs.readdirSync(root) : []
  return versions.map((version) => join(root, version, "bin")).find((bin) => Fs.existsSync(join(bin, "initdb")))
}

/** Whether Debian's Postgres is here. Says so aloud when it is not. */
export const hasPostgres = binaries() !== undefined
if (!hasPostgres) process.stderr.write("NOT TESTED on Postgres: apt-get install postgresql\n")

// Postgres refuses to run as root; its package makes a user for it.
const identity = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = Effect.async<number>((resume) => {
  const server = Net.createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address() as Net.AddressInfo // it listens on a port
    server.close(() => resume(Effect.succeed(port)))
  })
})

/**
 * The address of an empty Postgres that ends with the scope, and the folder of its programs. It trusts whoever reaches it on
 * 127.0.0.1. `settings` are those of its configuration.
 */
export const startPostgres = (settings: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const bin = binaries() ?? ""
    const folder = yield* newFolder("cluster-postgres-")
    const as = identity()
    if (as.uid !== undefined) Fs.chownSync(folder, as.uid, as.gid ?? 0)
    const port = yield* freePort
    const data = join(folder, "data")
    execFileSync(join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], {
      ...as,
      cwd: folder,
      stdio: "ignore"
    })
    const options = Object.entries({ listen_addresses: "127.0.0.1", ...settings }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`
    ])
    const begin = () =>
      spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), "-k", folder, ...options], {
        ...as,
        cwd: folder,
        stdio: "ignore"
      })
    let server = begin()
    const stop = Effect.async<void>((resume) => {
      if (server.exitCode !== null) return resume(Effect.void)
      server.once("exit", () => resume(Effect.void))
      server.kill("SIGQUIT")
    })
    yield* Effect.addFinalizer(() => stop)
    const ready = Effect.retry(
      Effect.try(() =>
        execFileSync(join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], { stdio: "ignore" })
      ),
      { times: 100, while: () => Effect.as(Effect.sleep(50), true) }
    ).pipe(Effect.orDie)
    yield* ready
    /** Goes down at once, as after a crash, and comes up again so many milliseconds later. */
    const restart = (millis: number) =>
      Effect.zipRight(
        stop,
        Effect.zipRight(
          Effect.sleep(millis),
          Effect.suspend(() => {
            server = begin()
            return ready
          })
        )
      )
    return { address: `pg:${port}`, bin, port, restart }
  })

/** The address of a Postgres that need not survive the machine. */
export const postgres: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  startPostgres({ fsync: "off" }),
  ({ address }) => address
)
