/**
 * The port `Crypto` on node:crypto. Synchronous, no I/O; the only state is a WASM module, compiled for the first prepared key.
 *
 * `crypto.hash` (Node 20.12, 21.7 and later) answers in one call what `createHash` needs an object for; measured on Node
 * 20.20 with a 130-byte text on a 2-core EPYC: SHA-256 0.5 µs against 1.1 µs. An HMAC takes `createHmac` 2.2 µs, most of it
 * for the object; with a prepared key and our own SHA-256, 0.8 to 1.0 µs (decisions/0011). Texts too long for that, and
 * hosts without WebAssembly, get Node's.
 * Source: https://nodejs.org/docs/latest-v20.x/api/crypto.html#cryptohashalgorithm-data-outputencoding
 */
import * as Layer from "effect/Layer"
import * as Node from "node:crypto"
import * as Sha256 from "../../core/model/Sha256.ts"
import { Crypto, type Service } from "../../core/ports/Crypto.ts"

// @types/node declares it for every Node 20; Node 20.11 does not have it.
const hash: typeof Node.hash | undefined = Node.hash

// Node's digests are Buffers. Their `slice` and `toString` differ from a Uint8Array's, so the port gives the plain view.
const plain = (digest: Buffer): Uint8Array => new Uint8Array(digest.buffer, digest.byteOffset, digest.length)

const sha256Hex: Service["sha256Hex"] = hash
  ? (data) => hash("sha256", data, "hex")
  : (data) => Node.createHash("sha256").update(data).digest("hex")

const hmacSha256Hex = (key: Uint8Array, data: string): string =>
  Node.createHmac("sha256", key).update(data).digest("hex")

let compiled: { readonly prepare: Sha256.Prepare | undefined } | undefined

const hmacSha256Keyed: Service["hmacSha256Keyed"] = (key) => {
  const { prepare } = (compiled ??= { prepare: Sha256.make() })
  const kept = key.slice()
  const short = key.byteLength > Sha256.longestKey ? undefined : prepare?.(key)
  return (head, data) => short?.(head, data) ?? hmacSha256Hex(kept, head + data)
}

/** Node's cryptography as the port's functions. None of them throws or keeps its input. */
export const crypto: Service = {
  sha256Hex,
  hmacSha256: (key, data) => plain(Node.createHmac("sha256", key).update(data).digest()),
  hmacSha256Hex,
  hmacSha256Keyed,
  md5: hash
    ? (data) => plain(hash("md5", data, "buffer"))
    : (data) => plain(Node.createHash("md5").update(data).digest())
}

/** `crypto` as a layer. */
export const layer: Layer.Layer<Crypto> = Layer.succeed(Crypto, crypto)
