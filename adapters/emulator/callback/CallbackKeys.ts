/**
 * The key pair that an emulator signs its callbacks with: RSA of 512 bits, as OSS's own, so signatures are 64 bytes long.
 *
 * So short a key can be broken by anyone with patience. It is what the protocol prescribes, and enough for an emulator;
 * nobody should trust it for anything else. With a folder the pair outlives the process, so receivers may pin it.
 * Source: "Callback", https://www.alibabacloud.com/help/en/oss/developer-reference/callback
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"

export interface Service {
  /** SubjectPublicKeyInfo in PEM: what `publicKeyPath` serves, and what receivers are told to trust. */
  readonly publicKeyPem: string
  /** RSA PKCS#1 v1.5 with MD5, in base64. */
  readonly sign: (data: Uint8Array) => string
}

export class CallbackKeys extends Context.Tag("effect-oss/emulator/CallbackKeys")<CallbackKeys, Service>() {}

/** Where the emulator serves the public key: the path that OSS's own has. */
export const publicKeyPath = "/callback_pub_key_v1.pem"

/** The private key in a data folder. */
export const fileName = "callback_private_key.pem"

const bits = 512

const generate = (): NodeCrypto.KeyObject =>
  NodeCrypto.generateKeyPairSync("rsa", { modulusLength: bits, publicExponent: 0x10001 }).privateKey

const make = (privateKey: NodeCrypto.KeyObject): Service => ({
  publicKeyPem: NodeCrypto.createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
  sign: (data) => NodeCrypto.sign("md5", data, privateKey).toString("base64")
})

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"

const load = async (path: string): Promise<NodeCrypto.KeyObject | undefined> => {
  const pem = await Fs.readFile(path, "utf8").catch((cause) => {
    if (isMissing(cause)) return undefined
    throw cause
  })
  if (pem === undefined) return undefined
  try {
    const key = NodeCrypto.createPrivateKey(pem)
    if (key.asymmetricKeyType === "rsa") return key
  } catch {
    // The reason may quote the file, which is a secret.
  }
  throw new Error(`${path} is not an RSA private key in PEM; remove it to have a new one made`)
}

const store = async (path: string, key: NodeCrypto.KeyObject): Promise<void> => {
  const temporary = `${path}.${NodeCrypto.randomUUID()}`
  try {
    const file = await Fs.open(temporary, "wx", 0o600)
    try {
      await file.writeFile(key.export({ type: "pkcs8", format: "pem" }))
      await file.sync()
    } finally {
      await file.close()
    }
    await Fs.rename(temporary, path)
  } catch (cause) {
    await Fs.rm(temporary, { force: true })
    throw cause
  }
}

/** A new pair that dies with the process. */
export const generated: Effect.Effect<Service> = Effect.sync(() => make(generate()))

/** The pair kept in a folder; made, readable by its owner only, if there is none. Trouble with the file is a defect. */
export const persisted = (folder: string): Effect.Effect<Service> =>
  Effect.promise(async () => {
    const path = Path.join(folder, fileName)
    const found = await load(path)
    if (found !== undefined) return make(found)
    const key = generate()
    await Fs.mkdir(folder, { recursive: true, mode: 0o700 })
    await store(path, key)
    return make(key)
  })

/** `persisted` when there is a folder, else `generated`. */
export const layer = (options: { readonly folder?: string | undefined } = {}): Layer.Layer<CallbackKeys> =>
  Layer.effect(CallbackKeys, options.folder === undefined ? generated : persisted(options.folder))
