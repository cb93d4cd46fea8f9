/**
 * CRC-64: of buffers from 1 KiB to 64 MiB, against the packages on npm that know this CRC; and the CRC of two contents joined.
 *
 * The bytes are pseudo-random, the same in every run. All contestants must find the same CRC before they are timed.
 * From 1 MiB on also of bytes that lie in `Crc64.buffers`, as those of a file's parts do.
 * Peers: hash-wasm (`createCRC64`, its hasher made once and kept), crc64-ecma182.js (what ali-oss uses). Neither can combine.
 */
import * as Crc64 from "../core/model/Crc64.ts"
import type { Bout, Contestant, Settings } from "./Harness.ts"
import * as Peers from "./Peers.ts"

interface HashWasm {
  readonly createCRC64: () => Promise<{
    readonly init: () => void
    readonly update: (bytes: Uint8Array) => void
    readonly digest: (form: "hex") => string
  }>
}

interface Crc64Ecma182 {
  readonly default: { readonly crc64: (bytes: Buffer, before: string) => string }
}

type Hash = readonly [name: string, of: (bytes: Uint8Array) => unknown, read: (result: unknown) => bigint]

const KiB = 1024
const MiB = 1024 * KiB

const pseudoRandom = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0, state = 0x9e3779b9; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

const ours: Hash = ["effect-oss", Crc64.of, (result) => BigInt(String(result))]

const peers = async (): Promise<ReadonlyArray<Hash>> => {
  const hasher = await (await Peers.load<HashWasm>("hash-wasm")).createCRC64()
  const { crc64 } = (await Peers.load<Crc64Ecma182>("crc64-ecma182.js")).default
  const hashWasm = (bytes: Uint8Array) => {
    hasher.init()
    hasher.update(bytes)
    return hasher.digest("hex")
  }
  // Its memory is fixed at 16 MiB, so it is fed a MiB at a time. It takes Buffers only: the view costs some 50 ns.
  const ecma182 = (bytes: Uint8Array) => {
    let crc = "0"
    for (let at = 0; at < bytes.length; at += MiB) {
      crc = crc64(Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(MiB, bytes.length - at)), crc)
    }
    return crc
  }
  return [
    ["hash-wasm", hashWasm, (result) => BigInt(`0x${String(result)}`)],
    ["crc64-ecma182.js", ecma182, (result) => BigInt(String(result))]
  ]
}

const hashing = (hashes: ReadonlyArray<Hash>, size: number): Bout => {
  const bytes = pseudoRandom(size)
  for (const [name, of, read] of hashes) {
    if (read(of(bytes)) !== Crc64.of(bytes)) throw new Error(`${name} finds another CRC for ${size} bytes`)
  }
  const contestants = hashes.map(([name, of]): Contestant => ({ name, run: () => of(bytes) }))
  return {
    name: `crc64 of ${size < MiB ? `${size / KiB} KiB` : `${size / MiB} MiB`}`,
    bytes: size,
    contestants: size < MiB ? contestants : contestants.toSpliced(1, 0, whereTheyLie(bytes))
  }
}

const whereTheyLie = (bytes: Uint8Array): Contestant => {
  const lying = Crc64.buffers(1, bytes.length)[0]! // as many as asked for
  lying.set(bytes)
  return { name: "effect-oss, where they lie", run: () => Crc64.of(lying) }
}

const combining = (): Bout => {
  const [first, second] = [0x995dc9bbdf1939fan, 0x1234567890abcdefn]
  let turn = 0
  return {
    name: "crc64 combine",
    contestants: [
      { name: "effect-oss, parts of one size", run: () => Crc64.combine(first, second, 8 * MiB) },
      {
        // More lengths than are remembered, so each is a new one.
        name: "effect-oss, a new length each time",
        run: () => Crc64.combine(first, second, 5_000_000_011 + 7919 * (turn = (turn + 1) % 4096))
      }
    ]
  }
}

export const bouts = async (settings: Settings): Promise<ReadonlyArray<Bout>> => {
  const hashes = settings.peers ? [ours, ...(await peers())] : [ours]
  const sizes = settings.smoke ? [KiB, 64 * KiB] : [KiB, 4 * KiB, 64 * KiB, MiB, 64 * MiB]
  return [...sizes.map((size) => hashing(hashes, size)), combining()]
}
