/**
 * What may happen to an upload: the method, the bytes, and the trouble. Drawn by fast-check, so that a failing one is
 * printed, shrunk and replayed by its seed.
 */
import * as fc from "effect/FastCheck"
import type * as OssEmulator from "../../../../adapters/emulator/OssEmulator.ts"
import * as Bytes from "../../../../core/model/Bytes.ts"

export const partSize = Bytes.KiB(100)

export type Method = "simple" | "multipart" | "stream" | "resumable" | "form" | "presigned"

/** How a run ends before its time: the process is killed, or its fiber interrupted. */
export interface Cut {
  readonly how: "kill" | "interrupt"
  /** The n-th thing that the client does to the world (a request, a save), from 1. */
  readonly at: number
  /** Whether the thing is still done. */
  readonly when: "before" | "after"
}

export interface Scenario {
  readonly method: Method
  /** Bytes. */
  readonly size: number
  readonly concurrency: number
  readonly buffer: "part" | "chunk"
  readonly callback: "none" | "taken" | "refused"
  readonly forbidOverwrite: boolean
  readonly faults: ReadonlyArray<OssEmulator.Fault>
  /** Trouble by chance, in so many of 100 requests. */
  readonly chaosPercent: number
  readonly chaosSeed: number
  readonly cut: Cut | undefined
  /** The n-th save of a checkpoint fails: the disk is full. */
  readonly fullDiskAt: number | undefined
  /** Between two runs a byte of the source changes, and nobody can see it from outside. Only for resumable uploads. */
  readonly isEdited: boolean
}

const kinds: ReadonlyArray<OssEmulator.FaultName> = [
  "drop",
  "loseAnswer",
  "error",
  "errorAfter",
  "slow",
  "truncate",
  "wrongCrc",
  "expiredToken",
  "skew"
]

/** Faults that strike by chance. */
export const chaosFaults = kinds

const fault: fc.Arbitrary<OssEmulator.Fault> = fc.record({
  fault: fc.constantFrom(...kinds),
  operation: fc.constantFrom(
    "PutObject" as const,
    "PostObject" as const,
    "InitiateMultipartUpload" as const,
    "UploadPart" as const,
    "ListParts" as const,
    "CompleteMultipartUpload" as const,
    "CompleteMultipartUpload" as const,
    "AbortMultipartUpload" as const,
    "HeadObject" as const
  ),
  nth: fc.integer({ min: 1, max: 3 }),
  times: fc.constantFrom(1, 1, 2, 3, 9),
  status: fc.constantFrom(500, 503),
  delay: fc.constant(5)
})

const cut: fc.Arbitrary<Cut> = fc.record({
  how: fc.constantFrom("kill" as const, "interrupt" as const),
  at: fc.integer({ min: 1, max: 12 }),
  when: fc.constantFrom("before" as const, "after" as const)
})

export const arbitrary: fc.Arbitrary<Scenario> = fc.record({
  method: fc.constantFrom<Method>("simple", "multipart", "stream", "resumable", "resumable", "form", "presigned"),
  size: fc.constantFrom(0, 1, 1_000, partSize - 1, partSize, partSize + 1, 3 * partSize, 4 * partSize + 7),
  concurrency: fc.constantFrom(1, 2, 4),
  buffer: fc.constantFrom("part" as const, "chunk" as const),
  callback: fc.constantFrom("none" as const, "taken" as const, "taken" as const, "refused" as const),
  forbidOverwrite: fc.boolean(),
  faults: fc.array(fault, { maxLength: 4 }),
  chaosPercent: fc.constantFrom(0, 0, 0, 5, 20),
  chaosSeed: fc.nat(),
  cut: fc.option(cut, { nil: undefined, freq: 2 }),
  fullDiskAt: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 8 }),
  isEdited: fc.boolean()
})
