/**
 * Who holds a lock, told so that another process can find out whether the holder still runs.
 *
 * A process number alone does not tell: it is used again. On Linux the holder is known by its start time too (in clock
 * ticks since the machine started), by the machine's start (boot ID) and by the space its number counts in (PID namespace:
 * containers on one machine number their own processes). Elsewhere there is the number only: when it is in use again, a
 * dead holder looks alive until its lock is deleted by hand. Source: proc(5), https://man7.org/linux/man-pages/man5/proc.5.html
 */
import * as Schema from "effect/Schema"
import * as Fs from "node:fs/promises"
import * as Os from "node:os"

const Owner = Schema.Struct({
  pid: Schema.Int.pipe(Schema.positive()),
  host: Schema.String,
  /** These three are empty where the system does not tell them. */
  boot: Schema.String,
  namespace: Schema.String,
  started: Schema.String,
  /** Milliseconds since 1970, within what a Date can show; for people. */
  since: Schema.Int.pipe(Schema.between(0, 8.64e15))
})

export interface Owner extends Schema.Schema.Type<typeof Owner> {}

const json = Schema.parseJson(Owner)

/** An owner as JSON text. */
export const encode = Schema.encodeSync(json)

/** Reads an owner's JSON text; `None` for any other text. */
export const decode = Schema.decodeUnknownOption(json)

const orEmpty = (reading: Promise<string>): Promise<string> => reading.then((text) => text.trim()).catch(() => "")

/** State and start time of a process, as the kernel tells them; empty texts where it does not. */
const statOf = async (pid: number | "self"): Promise<{ readonly state: string; readonly started: string }> => {
  const stat = await orEmpty(Fs.readFile(`/proc/${pid}/stat`, "utf8"))
  // The second field is the program's name in parentheses and may hold anything, also ") ". State is the third field,
  // start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return { state: fields[0] ?? "", started: fields[19] ?? "" }
}

/** This process. Never fails. */
export const self = async (): Promise<Owner> => ({
  pid: process.pid,
  host: Os.hostname(),
  boot: await orEmpty(Fs.readFile("/proc/sys/kernel/random/boot_id", "utf8")),
  namespace: await orEmpty(Fs.readlink("/proc/self/ns/pid")),
  started: (await statOf("self")).started,
  since: Date.now()
})

const differ = (a: string, b: string): boolean => a !== "" && b !== "" && a !== b

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0) // sends nothing, only asks
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH" // what kill throws; EPERM: another user's process
  }
}

/**
 * Whether an owner still runs, seen from `here`: `Gone` only when that is certain. `Elsewhere`: on another machine or in
 * another container, where nobody can look from here.
 */
export const standing = async (owner: Owner, here: Owner): Promise<"Runs" | "Gone" | "Elsewhere"> => {
  const sameStart = owner.boot !== "" && owner.boot === here.boot
  if (!sameStart) {
    if (owner.host !== here.host) return "Elsewhere"
    if (differ(owner.boot, here.boot)) return "Gone" // the machine has started again since
  }
  if (differ(owner.namespace, here.namespace)) return "Elsewhere"
  if (!isRunning(owner.pid)) return "Gone"
  const { started, state } = await statOf(owner.pid)
  if (differ(owner.started, started)) return "Gone" // its number is used again
  // Killed, and its parent has not asked how it ended: a zombie keeps its number, as long as the parent lives.
  return state === "Z" || state === "X" ? "Gone" : "Runs"
}
