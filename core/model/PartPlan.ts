/**
 * How an object is cut into the parts of a multipart upload: in equal parts when its size is known, in growing ones when
 * it is a stream of unknown length.
 *
 * Pure arithmetic. A plan is a few numbers, and any part is computed from them: 10,000 parts take no memory. Sizes and
 * offsets are in bytes, parts are numbered from 1. All sums stay below 2^53. Source of the limits: "Multipart upload",
 * https://www.alibabacloud.com/help/en/oss/user-guide/multipart-upload
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Bytes from "./Bytes.ts"
import { InvalidParam } from "./OssError.ts"

/** The smallest part, in bytes; the last part may be smaller. OSS checks it at CompleteMultipartUpload only. */
export const minPartSize = 102_400
/** The largest part, in bytes. */
export const maxPartSize = Bytes.GiB(5)
/** The most parts, and the highest part number. */
export const maxParts = 10_000
/** The largest object, in bytes: OSS's "48.8 TB" is 10,000 parts of 5 GiB. */
export const maxSize = maxParts * maxPartSize
/** The part size when none is asked for, in bytes: large enough up to objects of 78 GiB. */
export const defaultPartSize = Bytes.MiB(8)

export interface Part {
  /** From 1 on. */
  readonly number: number
  /** Where its first byte stands in the object. */
  readonly offset: number
  /** Bytes. */
  readonly size: number
}

export interface Options {
  /** Bytes. Default 8 MiB. */
  readonly partSize?: number | undefined
}

/** The cut of an object of a known size. */
export interface PartPlan {
  /** Of the object, in bytes. */
  readonly size: number
  /** Of every part but the last, in bytes. What was asked for, or more: see `make`. */
  readonly partSize: number
  /** How many parts: 1 to 10,000. An object of one part needs no multipart upload. */
  readonly count: number
}

/** The cut of a stream whose length is not known. */
export interface StreamPlan {
  /** Of the first 1,000 parts, in bytes. */
  readonly partSize: number
  /** The longest stream that fits in 10,000 parts, in bytes. */
  readonly maxSize: number
}

const invalid = (field: string, reason: string) => Either.left(new InvalidParam({ field, reason }))

const checkBytes = (field: string, value: number, min: number, max: number): Either.Either<number, InvalidParam> => {
  if (value >= min && value <= max && Number.isInteger(value)) return Either.right(value)
  const whole = Number.isFinite(value) && !Number.isInteger(value) ? "a whole number, " : ""
  return invalid(field, `must be ${whole}${min} to ${max} bytes, got ${value}`)
}

const checkPartSize = (options: Options | undefined): Either.Either<number, InvalidParam> =>
  checkBytes("partSize", options?.partSize ?? defaultPartSize, minPartSize, maxPartSize)

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/**
 * Cuts `size` bytes. A part size that would give more than 10,000 parts is raised to the least whole MiB that does not;
 * so is the plan of a raised part size the same plan. An empty object is one empty part. Fails with `InvalidParam` for
 * `size` (0 to 10,000 times 5 GiB) or `partSize` (102,400 bytes to 5 GiB).
 */
export const make = (size: number, options?: Options): Either.Either<PartPlan, InvalidParam> =>
  Either.gen(function* () {
    yield* checkBytes("size", size, 0, maxSize)
    const asked = yield* checkPartSize(options)
    const partSize = size <= asked * maxParts ? asked : roundUp(size / maxParts, Bytes.MiB(1))
    return { size, partSize, count: Math.max(1, Math.ceil(size / partSize)) }
  })

const isNumber = (number: number, count: number): boolean => Number.isInteger(number) && number >= 1 && number <= count

const cut = (plan: PartPlan, number: number): Part => {
  const offset = (number - 1) * plan.partSize
  return { number, offset, size: Math.min(plan.partSize, plan.size - offset) }
}

/** One part of the plan; `None` for numbers that it does not have. */
export const part = (plan: PartPlan, number: number): Option.Option<Part> =>
  isNumber(number, plan.count) ? Option.some(cut(plan, number)) : Option.none()

/** All parts in order, each made when it is asked for; may be walked again and again. */
export const parts = (plan: PartPlan): Iterable<Part> => ({
  *[Symbol.iterator]() {
    for (let number = 1; number <= plan.count; number++) yield cut(plan, number)
  }
})

/** So many parts of a stream have the same size; then the size doubles. */
const streamStep = 1_000

/**
 * Cuts a stream of unknown length: the part size doubles after every 1,000 parts, until it is 5 GiB. A part then holds at
 * most a thousandth of what was sent before it, give or take `partSize`, and so does the memory that holds it. The plan's
 * `maxSize` says how far that reaches: 7.8 TiB from 8 MiB on, 12.7 TiB from 16 MiB on. OSS's whole 48.8 TB take 10,000
 * parts of 5 GiB each, so only a plan that begins with 5 GiB carries as much.
 * Fails with `InvalidParam` for `partSize` (102,400 bytes to 5 GiB).
 */
export const forStream = (options?: Options): Either.Either<StreamPlan, InvalidParam> =>
  Either.map(checkPartSize(options), (partSize) => {
    const last = streamCut(partSize, maxParts)
    return { partSize, maxSize: last.offset + last.size }
  })

const streamCut = (partSize: number, number: number): Part => {
  const step = Math.floor((number - 1) / streamStep)
  const sizeAt = (i: number) => Math.min(partSize * 2 ** i, maxPartSize)
  let offset = ((number - 1) % streamStep) * sizeAt(step)
  for (let i = 0; i < step; i++) offset += streamStep * sizeAt(i)
  return { number, offset, size: sizeAt(step) }
}

/** One part of a stream at its full size (the last one sent may be shorter); `None` for numbers not from 1 to 10,000. */
export const streamPart = (plan: StreamPlan, number: number): Option.Option<Part> =>
  isNumber(number, maxParts) ? Option.some(streamCut(plan.partSize, number)) : Option.none()
