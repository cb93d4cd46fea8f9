/**
 * What must hold after a run, however it ended: the object is whole or not there, whoever was told something was told the
 * truth, and nothing is left behind that nobody answers for. Pure.
 */
import type { CallbackFailed } from "../../../../core/model/OssError.ts"
import * as Crc64 from "../../../../core/model/Crc64.ts"
import * as OssClient from "../../../../core/programs/OssClient.ts"
import { partSize, type Scenario } from "./Scenario.ts"
import type { End, Told } from "./World.ts"

export interface Facts {
  readonly scenario: Scenario
  readonly content: Uint8Array
  /** The runs of the upload, one after the other; more than one only when it is resumable. */
  readonly ends: ReadonlyArray<End>
  readonly stored: Uint8Array | undefined
  readonly told: ReadonlyArray<Told>
  /** Whether a HeadObject has told another CRC-64 of the object than it has. */
  readonly isBelied: boolean
  /** Pending uploads to the key: their IDs, and how many parts each has. */
  readonly pending: ReadonlyArray<{ readonly id: string; readonly parts: number }>
  /** Upload IDs that a warning has told of. */
  readonly orphansTold: ReadonlySet<string>
  readonly checkpoint: string | undefined
  /** Whether the first run had nothing left to do, so that the next one is an upload of its own. */
  readonly wasDone: boolean
}

/** Faults after which the server has acted and the client cannot know. */
const leavesDoubt = new Set(["loseAnswer", "errorAfter", "truncate"])

/** Everything that does not hold, in words. */
export const violations = (facts: Facts): ReadonlyArray<string> => {
  const { checkpoint, content, ends, isBelied, orphansTold, pending, scenario, stored, told, wasDone } = facts
  const found: Array<string> = []
  const must = (holds: boolean, what: string) => void (holds || found.push(what))
  const isWhole = stored !== undefined && Buffer.from(stored).equals(content)
  const crc64 = Crc64.of(content)
  const last = ends[ends.length - 1]!
  const wasCut = ends.some((end) => end._tag === "Killed" || end._tag === "Interrupted")
  const inParts = scenario.size > partSize && ["multipart", "stream", "resumable"].includes(scenario.method)

  must(stored === undefined || isWhole, "the object is neither whole nor absent")
  for (const { crc64: toldCrc64, size } of told) {
    must(size === content.length && toldCrc64 === crc64, "the application was told of other bytes")
  }
  must(told.length === 0 || isWhole, "the application was told of an object that is not there")

  switch (last._tag) {
    case "Defect":
      found.push("it died")
      break
    case "Success": {
      const { uploaded } = last
      must(isWhole, "it succeeded, and the object is not there")
      must(uploaded.size === content.length && uploaded.crc64 === crc64, "the receipt is not of these bytes")
      if (scenario.callback !== "none") must(told.length > 0, "it succeeded, and the application was not told")
      if (scenario.callback === "taken") {
        must(JSON.stringify(uploaded.callback) === `{"size":${content.length}}`, "the answer is not the application's")
      }
      must(scenario.callback !== "refused", "it succeeded, although the application refused")
      break
    }
    case "Failure": {
      const { error } = last
      if (error._tag === "CallbackFailed") {
        const { reason, stored: receipt } = error as CallbackFailed // its tag
        must(isWhole, "CallbackFailed, and the object is not there")
        must(receipt.size === content.length && receipt.crc64 === crc64, "the error's receipt is not of these bytes")
        must(
          scenario.callback === "refused" || reason === "AnswerLost",
          `CallbackFailed: ${reason}, but it did not fail`
        )
      } else if (error._tag !== "Crc64Mismatch" && error._tag !== "UnexpectedResponse") {
        const inDoubt = error._tag !== "CheckpointError" && OssClient.mayHaveActed(error)
        // A run before this one may have stored it.
        must(inDoubt || ends.length > 1 || stored === undefined, `${error._tag} says that nothing is stored: ${error}`)
      }
      break
    }
    case "Killed":
    case "Interrupted":
      break
  }

  // Once, but for requests that store the object at once and were sent again after a lost answer (decisions/0003).
  // What is stored, and not what was sent, is sent again, and so is what HeadObject does not prove to be ours.
  const wasWrong = ends.some((end) => end._tag === "Failure" && end.error._tag === "Crc64Mismatch")
  const doubts = scenario.chaosPercent > 0 || scenario.faults.some(({ fault }) => leavesDoubt.has(fault))
  must(
    told.length <= 1 ||
      wasWrong ||
      isBelied ||
      (wasDone && told.length === 2) ||
      (!inParts && (doubts || ends.length > 1)),
    `the application was told ${told.length} times`
  )

  for (const { id, parts } of pending) {
    const isRemembered = checkpoint !== undefined && checkpoint.includes(id)
    const isKept = scenario.method === "resumable" && isRemembered
    // Killed, nobody can abort. Before its first checkpoint is saved, a resumable upload is empty and costs nothing.
    const isKilled = ends.some((end) => end._tag === "Killed") && (scenario.method !== "resumable" || parts === 0)
    // Its ID never came, so it is empty.
    const isNameless = parts === 0 && (doubts || wasCut || last._tag === "Failure")
    must(isKept || isKilled || isNameless || orphansTold.has(id), `upload ${id} with ${parts} parts is left behind`)
  }
  if (last._tag === "Success" || (last._tag === "Failure" && last.error._tag === "CallbackFailed")) {
    must(checkpoint === undefined, "the object is stored, and the checkpoint is still there")
  }
  return found
}
