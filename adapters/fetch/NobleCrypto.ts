/**
 * The port `Crypto` on @noble/hashes: plain JavaScript, for every runtime. Synchronous, no state, no I/O.
 *
 * Not the host's `crypto.subtle`: that is asynchronous, missing on pages without TLS, and has no MD5. Where node:crypto is
 * at hand, `effect-oss/node` is several times faster. Source: https://github.com/paulmillr/noble-hashes (audited).
 */
import { hmac } from "@noble/hashes/hmac"
import { md5 } from "@noble/hashes/legacy"
import { sha256 } from "@noble/hashes/sha2"
import { bytesToHex } from "@noble/hashes/utils"
import * as Layer from "effect/Layer"
import { Crypto, type Service } from "../../core/ports/Crypto.ts"

// Text is hashed as UTF-8 by noble itself. A Buffer given is read, and never given back.
/** The port's functions. None of them throws or keeps its input. */
export const crypto: Service = {
  sha256Hex: (data) => bytesToHex(sha256(data)),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hmacSha256Hex: (key, data) => bytesToHex(hmac(sha256, key, data)),
  hmacSha256Keyed: (key) => {
    const keyed = hmac.create(sha256, key)
    return (head, data) => bytesToHex(keyed.clone().update(head).update(data).digest())
  },
  md5: (data) => md5(data)
}

/** `crypto` as a layer. */
export const layer: Layer.Layer<Crypto> = Layer.succeed(Crypto, crypto)
