/**
 * Who uploads: we, a bare loop of `node:http` that checks and signs nothing (the floor), and the packages that people use.
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import { open, readFile } from "node:fs/promises"
import { Agent, request } from "node:http"
import * as FileSource from "../../adapters/node/FileSource.ts"
import { crypto } from "../../adapters/node/NodeCrypto.ts"
import * as NodeOss from "../../adapters/node/NodeOss.ts"
import * as ObjectKey from "../../core/model/ObjectKey.ts"
import * as Source from "../../core/ports/Source.ts"
import * as Upload from "../../core/programs/Upload.ts"
import * as Signature from "../../core/wire/Signature.ts"

/** What to do. Sizes in bytes. */
export interface Order {
  readonly contestant: string
  readonly port: number
  readonly file: string
  readonly size: number
  readonly partSize: number
  readonly concurrency: number
  /** How often the object is uploaded, one after the other, before the clock starts and after. */
  readonly warmUps: number
  readonly times: number
  readonly buffer?: "part" | "chunk"
}

/** Gets ready; the function it answers uploads so many times. */
type Contestant = (order: Order) => Promise<(times: number) => Promise<void>>

const keys = { accessKeyId: "LTAI4FbenchmarkKey", accessKeySecret: "yourAccessKeySecretForBench00" }
const region = "cn-hangzhou"

/** A peer's module; the caller claims what is in it. */
const peer = async <A>(name: string): Promise<A> => (await import(name)) as A

const again = (upload: () => Promise<unknown>) => async (times: number) => {
  for (let i = 0; i < times; i++) await upload()
}

const runtime = ({ port }: Order) =>
  ManagedRuntime.make(
    NodeOss.layer({
      bucket: "bench",
      region,
      endpoint: `http://127.0.0.1:${port}`,
      credentials: { accessKeyId: keys.accessKeyId, accessKeySecret: Redacted.make(keys.accessKeySecret) }
    })
  )

const ours: Contestant = async (order) => {
  const oss = runtime(order)
  await oss.runPromise(Effect.void)
  const { buffer, concurrency, file, partSize } = order
  return again(() =>
    oss.runPromise(
      Effect.flatMap(FileSource.make(file), (source) =>
        Upload.multipart("k", source, { partSize, concurrency, buffer })
      )
    )
  )
}

const oursSmall: Contestant = async (order) => {
  const oss = runtime(order)
  const source = Source.bytes(await readFile(order.file))
  // As a service would: one fiber, many uploads.
  return (times) =>
    oss.runPromise(
      Effect.gen(function* () {
        for (let i = 0; i < times; i++) yield* Upload.simple("k", source)
      })
    )
}

const sendBare = (agent: Agent, port: number, path: string, headers: Record<string, string>, body: Uint8Array) =>
  new Promise<void>((resolve, reject) => {
    const sent = request({ agent, port, host: "127.0.0.1", method: "PUT", path, headers }, (response) => {
      response.on("data", () => {})
      response.on("end", () => resolve())
    })
    sent.on("error", reject)
    sent.setHeader("content-length", body.length)
    sent.end(body)
  })

const bare: Contestant = async ({ concurrency, file, partSize, port, size }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  return again(async () => {
    const handle = await open(file)
    let next = 0
    const worker = async () => {
      const buffer = Buffer.allocUnsafeSlow(partSize)
      while (next * partSize < size) {
        const number = next++
        const length = Math.min(partSize, size - number * partSize)
        await handle.read(buffer, 0, length, number * partSize)
        await sendBare(agent, port, `/bench/k?partNumber=${number + 1}&uploadId=1`, {}, buffer.subarray(0, length))
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    await handle.close()
  })
}

const bareSigned: Contestant = async ({ file, port }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const signer = Signature.make(crypto)
  const body = await readFile(file)
  const key = Effect.runSync(ObjectKey.make("k"))
  const credentials = { accessKeyId: keys.accessKeyId, accessKeySecret: Redacted.make(keys.accessKeySecret) }
  return again(async () => {
    const headers = { "content-type": "application/octet-stream" }
    const asked = { method: "PUT", bucket: "bench", key, query: {}, headers }
    const signed = Effect.runSync(Signature.signHeaders(signer, asked, { credentials, region, time: Date.now() }))
    await sendBare(agent, port, "/bench/k", Object.assign(headers, signed.headers), body)
  })
}

interface AliOss {
  readonly default: new (options: object) => {
    readonly multipartUpload: (key: string, file: string, options: object) => Promise<unknown>
    readonly put: (key: string, content: Buffer) => Promise<unknown>
  }
}

const aliOss: Contestant = async ({ concurrency, file, partSize, port }) => {
  const { default: OSS } = await peer<AliOss>("ali-oss")
  const client = new OSS({
    ...keys,
    region: `oss-${region}`,
    endpoint: `http://127.0.0.1:${port}`,
    bucket: "bench",
    authorizationV4: true
  })
  return again(() => client.multipartUpload("k", file, { partSize, parallel: concurrency }))
}

interface LibStorage {
  readonly Upload: new (options: object) => { readonly done: () => Promise<unknown> }
}
interface ClientS3 {
  readonly S3Client: new (options: object) => object
}

const libStorage: Contestant = async ({ concurrency, file, partSize, port }) => {
  const { Upload: AwsUpload } = await peer<LibStorage>("@aws-sdk/lib-storage")
  const { S3Client } = await peer<ClientS3>("@aws-sdk/client-s3")
  const { createReadStream } = await import("node:fs")
  const credentials = { accessKeyId: keys.accessKeyId, secretAccessKey: keys.accessKeySecret }
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials
  })
  return again(() =>
    new AwsUpload({
      client,
      queueSize: concurrency,
      partSize,
      params: { Bucket: "bench", Key: "k", Body: createReadStream(file) }
    }).done()
  )
}

interface Minio {
  readonly Client: new (options: object) => {
    readonly fPutObject: (bucket: string, key: string, file: string) => Promise<unknown>
  }
}

const minio: Contestant = async ({ file, partSize, port }) => {
  const { Client } = await peer<Minio>("minio")
  const client = new Client({
    endPoint: "127.0.0.1",
    port,
    useSSL: false,
    accessKey: keys.accessKeyId,
    secretKey: keys.accessKeySecret,
    region: "us-east-1",
    partSize
  })
  return again(() => client.fPutObject("bench", "k", file))
}

export const contestants: Readonly<Record<string, Contestant>> = {
  "effect-oss": ours,
  "effect-oss, simple": oursSmall,
  "bare node:http": bare,
  "bare node:http, signed": bareSigned,
  "ali-oss": aliOss,
  "@aws-sdk/lib-storage": libStorage,
  minio
}
