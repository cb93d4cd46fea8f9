/** Uploads of pages, here over Node's fetch: by form, by PUT and in parts, with all that can come between. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Answer } from "../../../adapters/browser/Answer.ts"
import {
  type Options,
  type Store,
  upload,
  UploadFailed,
  uploadForm,
  uploadPresigned
} from "../../../adapters/browser/index.ts"
import * as Send from "../../../adapters/browser/Send.ts"
import * as Crc64 from "../../../core/model/Crc64.ts"
import type { PartsGrant } from "../../../core/model/UploadGrant.ts"
import * as Presign from "../../../core/programs/Presign.ts"
import * as PostPolicy from "../../../core/wire/PostPolicy.ts"
import * as TestServer from "../../support/TestServer.ts"
import * as Shop from "./Shop.ts"

const content = (size: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8))
const fileOf = (size: number): File => new File([content(size)], "a.bin", { type: "text/x-test", lastModified: 1000 })

const failure = (done: Promise<unknown>): Promise<UploadFailed> =>
  done.then(
    () => assert.fail("it was uploaded"),
    (error: unknown) => {
      assert.instanceOf(error, UploadFailed)
      return error
    }
  )

const memoryStore = (): Store & { readonly items: Map<string, string> } => {
  const items = new Map<string, string>()
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key)
  }
}

/** Sends, but lets a test have a say before. */
const meddling = (before: (request: Send.Outgoing, nth: number) => Promise<Answer | undefined> | undefined) => {
  const urls: Array<string> = []
  const send: Send.Send = async (request) => {
    const answer = await before(request, urls.push(request.url))
    return answer ?? Send.send(request)
  }
  return { send, urls }
}

const refused = (status: number, code: string, message = "no"): Answer => ({
  status,
  header: () => null,
  text: `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>65A1</RequestId><EC>0001</EC></Error>`
})

/** Waits until it is so, for ten seconds at most. */
const until = async (claim: () => boolean): Promise<void> => {
  for (let i = 0; i < 1000 && !claim(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.isTrue(claim(), claim.toString())
}

const numberOf = (url: string): number => Number(new URL(url).searchParams.get("partNumber"))

const shop = <A>(
  use: (shop: Effect.Effect.Success<ReturnType<typeof Shop.open>>) => Promise<A>,
  more?: Parameters<typeof Shop.open>[0]
) => Effect.flatMap(Shop.open(more), (opened) => Effect.promise(() => use(opened)))

const isStored = async (at: Effect.Effect.Success<ReturnType<typeof Shop.open>>, size: number) => {
  const stored = await Effect.runPromise(at.emulator.object("k.bin"))
  assert.isTrue(Buffer.from(Option.getOrThrow(stored)).equals(content(size)), "the object is the file")
}

describe("upload", () => {
  const live = it.scopedLive

  for (const [kind, size] of [
    ["form", 100_000],
    ["PUT", 200_000],
    ["parts", 512_345]
  ] as const) {
    live(`by ${kind}: the receipt, the application's answer, and progress that never falls`, () =>
      shop(
        async (at) => {
          const file = fileOf(size)
          const sent: Array<number> = []
          const states: Array<string> = []
          const { grant, complete } = at
          const { done } = upload(await grant(file), file, {
            complete,
            onProgress: (progress) => sent.push(progress.sent),
            onState: (state) => states.push(state)
          })
          const uploaded = await done
          const { crc64, etag, requestId, ...rest } = uploaded
          assert.strictEqual(crc64, Crc64.of(content(size)))
          assert.match(etag, /^[0-9A-F]{32}/)
          assert.match(requestId, /^[0-9A-F]{24}$/)
          const callback = { id: `u/k.bin/${size}` }
          assert.deepStrictEqual(rest, { bucket: "examplebucket", key: "k.bin", size, verified: true, callback })
          assert.strictEqual(sent.at(-1), size)
          assert.isTrue(
            sent.every((bytes, i) => i === 0 || bytes > sent[i - 1]!),
            String(sent)
          )
          assert.deepStrictEqual([states[0], states.at(-1)], ["running", "done"])
          await isStored(at, size)
        },
        { callback: Shop.Stored({ user: "u" }) }
      )
    )

    live(`by ${kind}: a failed callback is told with the receipt of what is stored`, () =>
      shop(
        async (at) => {
          const file = fileOf(size)
          const error = await failure(upload(await at.grant(file), file, { complete: at.complete }).done)
          assert.strictEqual(error.code, "CallbackFailed")
          assert.strictEqual(error.stored?.crc64, Crc64.of(content(size)))
          assert.include(error.message, "stored, but the callback failed")
          await isStored(at, size)
        },
        { callback: Shop.Stored({ user: "broken" }) }
      )
    )

    live(`by ${kind}: a lost connection, a 503 and a 429 are got over`, () =>
      shop(async (at) => {
        const file = fileOf(size)
        const { send, urls } = meddling((_, nth) => {
          if (nth === 1) return Promise.reject(new UploadFailed("Network", "lost"))
          return nth <= 3 ? Promise.resolve(refused(nth === 2 ? 503 : 429, "Busy")) : undefined
        })
        const states: Array<string> = []
        await upload(await at.grant(file), file, {
          send,
          complete: at.complete,
          onState: (state) => states.push(state)
        }).done
        assert.include(states, "waiting")
        assert.isAtLeast(urls.length, 4)
        await isStored(at, size)
      })
    )

    live(`by ${kind}: OSS's refusal is told at once, with its code`, () =>
      shop(async (at) => {
        const file = fileOf(size)
        const { send, urls } = meddling(() => Promise.resolve(refused(403, "AccessDenied", "a &lt; b &amp;amp;")))
        const error = await failure(
          upload(await at.grant(file), file, { send, complete: at.complete, concurrency: 1 }).done
        )
        assert.deepStrictEqual(
          [error.code, error.status, error.ossCode, error.requestId, error.ec, urls.length],
          ["Refused", 403, "AccessDenied", "65A1", "0001", 1]
        )
        assert.include(error.message, "a < b &amp;")
      })
    )

    live(`by ${kind}: a grant that is over is asked for again`, () =>
      shop(async (at) => {
        const file = fileOf(size)
        const { send } = meddling((_, nth) =>
          nth === 1 ? Promise.resolve(refused(403, "AccessDenied", "Request has expired.")) : undefined
        )
        await upload(() => at.grant(file), file, { send, complete: at.complete, concurrency: 1 }).done
        assert.deepStrictEqual(at.calls.slice(0, 2), ["grant", "grant"])
        await isStored(at, size)
      })
    )

    live(`by ${kind}: pause stops the sending, resume goes on`, () =>
      shop(async (at) => {
        const file = fileOf(size)
        const stopped: Array<boolean> = []
        const { send, urls } = meddling(({ signal }, nth) => {
          if (nth !== 2 - Number(kind !== "parts")) return undefined
          setTimeout(() => task.pause(), 20)
          return new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              stopped.push(true)
              reject(signal.reason as Error)
            })
          })
        })
        const states: Array<string> = []
        const task = upload(await at.grant(file), file, {
          send,
          complete: at.complete,
          concurrency: 1,
          onState: (state) => states.push(state)
        })
        await until(() => task.state() === "paused")
        assert.strictEqual(stopped.length, 1)
        const before = urls.length
        await new Promise((resolve) => setTimeout(resolve, 50))
        assert.strictEqual(urls.length, before)
        task.resume()
        await task.done
        assert.deepStrictEqual(states.filter((state) => state !== "completing").join(), "running,paused,running,done")
        // The parts that were sent are not sent again.
        if (kind === "parts") assert.deepStrictEqual(urls.map(numberOf), [1, 2, 2, 3, 4, 5, 6])
        await isStored(at, size)
      })
    )

    live(`by ${kind}: cancel ends it, also when it is paused`, () =>
      shop(async (at) => {
        const file = fileOf(size)
        for (const pausedBefore of [false, true]) {
          const aborted: Array<string> = []
          const { send } = meddling(
            ({ signal }) =>
              new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)))
          )
          const task = upload(await at.grant(file), file, {
            send,
            complete: at.complete,
            abort: async (ticket) => {
              aborted.push(ticket)
              await at.abort(ticket)
            }
          })
          await new Promise((resolve) => setTimeout(resolve, 30))
          if (pausedBefore) {
            task.pause()
            await new Promise((resolve) => setTimeout(resolve, 10))
          }
          task.cancel()
          const error = await failure(task.done)
          assert.deepStrictEqual([error.code, task.state()], ["Cancelled", "failed"])
          if (kind === "parts") await until(() => aborted.length === 1)
          assert.strictEqual(aborted.length, kind === "parts" ? 1 : 0)
        }
        // Nobody waits for that.
        for (let i = 0; i < 100 && (await Effect.runPromise(at.emulator.uploads())).length > 0; i++) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        assert.deepStrictEqual(await Effect.runPromise(at.emulator.uploads()), [])
      })
    )
  }

  live("can be paused before it has begun, and asked from within its own functions", () =>
    shop(async (at) => {
      const file = fileOf(1000)
      const states: Array<string> = []
      const task = upload(await at.grant(file), file, { onState: () => states.push(task.state()) })
      task.pause()
      await until(() => states.length > 0)
      task.resume()
      await task.done
      assert.deepStrictEqual(states, ["paused", "running", "done"])
    })
  )

  live("in parts: cancelled while the grant is asked for, it is given up all the same", () =>
    shop(async (at) => {
      const file = fileOf(512_345)
      let isOver = false
      const abort = async (ticket: string) => {
        await at.abort(ticket)
        isOver = true
      }
      const slowly = async () => {
        const grant = await at.grant(file)
        await new Promise((resolve) => setTimeout(resolve, 100))
        return grant
      }
      const task = upload(slowly, file, { complete: at.complete, abort })
      await until(() => at.calls.length === 1)
      task.cancel()
      assert.strictEqual((await failure(task.done)).code, "Cancelled")
      await until(() => isOver)
      assert.deepStrictEqual(await Effect.runPromise(at.emulator.uploads()), [])
    })
  )

  live("in parts: bytes that arrive broken are sent again", () =>
    shop(async (at) => {
      const file = fileOf(512_345)
      const { send, urls } = meddling((request, nth) =>
        nth !== 2 ? undefined : Send.send({ ...request, body: new Uint8Array((request.body as Uint8Array).length) })
      )
      await upload(await at.grant(file), file, { send, complete: at.complete, concurrency: 1 }).done
      assert.deepStrictEqual(urls.map(numberOf), [1, 2, 2, 3, 4, 5, 6])
      await isStored(at, 512_345)
    })
  )

  live("in parts: where CORS hides the CRC-64, the server finds what arrived broken, and it is sent again", () =>
    shop(async (at) => {
      const file = fileOf(512_345)
      const { send, urls } = meddling(async (request, nth) => {
        const body = nth === 2 ? new Uint8Array((request.body as Uint8Array).length) : request.body
        return { ...(await Send.send({ ...request, body })), header: () => null }
      })
      const uploaded = await upload(await at.grant(file), file, { send, complete: at.complete, concurrency: 1 }).done
      assert.isTrue(uploaded.verified)
      assert.deepStrictEqual(urls.map(numberOf), [1, 2, 3, 4, 5, 6, 2])
      await isStored(at, 512_345)
    })
  )

  live("in one request: where CORS hides the CRC-64, the receipt says that it was not verified", () =>
    shop(async (at) => {
      const file = fileOf(1000)
      const { send } = meddling(async (request) => ({ ...(await Send.send(request)), header: () => null }))
      const { etag, verified } = await upload(await at.grant(file), file, { send }).done
      assert.deepStrictEqual([verified, etag], [false, ""])
    })
  )

  live("in one request: other bytes at OSS are Corrupt", () =>
    shop(async (at) => {
      const file = fileOf(1000)
      const { send } = meddling(async (request) => ({
        ...(await Send.send(request)),
        header: (name) => (name === "x-oss-hash-crc64ecma" ? "1" : null)
      }))
      assert.strictEqual((await failure(upload(await at.grant(file), file, { send }).done)).code, "Corrupt")
    })
  )

  live("in parts: URLs that are over are renewed, and those not in the grant are asked for", () =>
    shop(
      async (at) => {
        const file = fileOf(512_345)
        const { send } = meddling((_, nth) =>
          nth === 2 ? Promise.resolve(refused(403, "AccessDenied", "Request has expired.")) : undefined
        )
        const { complete, renew } = at
        await upload(await at.grant(file), file, { send, complete, renew, concurrency: 1 }).done
        assert.deepStrictEqual(at.calls, ["grant", "renew 2,3,4,5,6", "complete 6"])
        await isStored(at, 512_345)
      },
      { urls: 2 }
    )
  )

  live("in parts: goes on after a reload, and sends only what is missing", () =>
    shop(async (at) => {
      const storage = memoryStore()
      const { abort, complete, renew } = at
      const options: Options = { storage, abort, complete, renew, concurrency: 1 }
      // The page is left in the middle of part 4.
      await new Promise<void>((resolve) => {
        const { send } = meddling(({ url }) => {
          if (numberOf(url) < 4) return undefined
          resolve()
          return new Promise(() => {})
        })
        void upload(() => at.grant(fileOf(512_345)), fileOf(512_345), { ...options, send }).done.catch(() => {})
      })
      assert.strictEqual(storage.items.size, 1)
      assert.notInclude([...storage.items.values()].join(), "x-oss-signature")
      const { send, urls } = meddling(() => undefined)
      const sent: Array<number> = []
      const { done } = upload(() => at.grant(fileOf(512_345)), fileOf(512_345), {
        ...options,
        send,
        onProgress: (progress) => sent.push(progress.sent)
      })
      await done
      assert.deepStrictEqual(urls.map(numberOf), [4, 5, 6])
      assert.strictEqual(at.calls.filter((call) => call === "grant").length, 1)
      assert.isAtLeast(
        sent.find((bytes) => bytes > 0)!,
        Shop.partSize
      )
      assert.strictEqual(storage.items.size, 0)
      await isStored(at, 512_345)
    })
  )

  live("in parts: after a reload, a part whose bytes changed under the same name, size and time is sent again", () =>
    shop(async (at) => {
      const storage = memoryStore()
      const { complete, renew } = at
      const old = content(512_345)
      old[150_000] = 1
      const file = new File([old], "a.bin", { type: "text/x-test", lastModified: 1000 })
      const broken = meddling(({ url }) => (numberOf(url) < 4 ? undefined : Promise.resolve(refused(400, "Bad"))))
      await failure(
        upload(() => at.grant(file), file, { storage, complete, renew, concurrency: 1, send: broken.send }).done
      )
      const { send, urls } = meddling(() => undefined)
      await upload(() => at.grant(file), fileOf(512_345), { storage, complete, renew, concurrency: 1, send }).done
      assert.deepStrictEqual(urls.map(numberOf), [2, 4, 5, 6])
      await isStored(at, 512_345)
    })
  )

  live("in parts: begins anew when what was remembered is gone at OSS", () =>
    shop(async (at) => {
      const storage = memoryStore()
      const { complete, renew } = at
      const file = fileOf(512_345)
      const options: Options = { storage, complete, renew, concurrency: 1 }
      const broken = meddling(({ url }) => (numberOf(url) < 4 ? undefined : Promise.resolve(refused(400, "Bad"))))
      await failure(upload(() => at.grant(file), file, { ...options, send: broken.send }).done)
      const saved = JSON.parse([...storage.items.values()].join()) as { readonly grant: PartsGrant }
      await at.abort(saved.grant.ticket)
      await upload(() => at.grant(file), file, options).done
      assert.strictEqual(at.calls.filter((call) => call === "grant").length, 2)
      await isStored(at, 512_345)
    })
  )

  live("in parts: a storage that throws makes no upload fail", () =>
    shop(async (at) => {
      const no = (): never => {
        throw new DOMException("full", "QuotaExceededError")
      }
      const file = fileOf(512_345)
      const storage = { getItem: no, setItem: no, removeItem: no }
      await upload(await at.grant(file), file, { storage, complete: at.complete }).done
      await isStored(at, 512_345)
    })
  )

  live("in parts: at most so many at once", () =>
    shop(async (at) => {
      const file = fileOf(512_345)
      let now = 0
      let most = 0
      const { send } = meddling(async (request) => {
        most = Math.max(most, ++now)
        await new Promise((resolve) => setTimeout(resolve, 10))
        try {
          return await Send.send(request)
        } finally {
          now--
        }
      })
      await upload(await at.grant(file), file, { send, complete: at.complete, concurrency: 2 }).done
      assert.strictEqual(most, 2)
    })
  )

  live("says what is wrong with the call, and with a function of the page's", () =>
    shop(async (at) => {
      const file = fileOf(512_345)
      const grant = await at.grant(file)
      assert.strictEqual((await failure(upload(grant, file).done)).code, "Invalid")
      assert.include((await failure(upload(grant, fileOf(5)).done)).message, "for 512345 bytes, and the file has 5")
      const cause = new Error("logged out")
      const complete = () => Promise.reject(cause)
      const error = await failure(upload(grant, file, { complete }).done)
      assert.deepStrictEqual([error.code, error.cause], ["Server", cause])
    })
  )

  live("calls it Stalled when nothing moves for long", () =>
    Effect.gen(function* () {
      const silent = yield* TestServer.start(() => {})
      const put = {
        method: "PUT",
        url: `${silent.origin}/k`,
        headers: {},
        bucket: "b",
        key: "k",
        expiresAt: 0
      } as const
      const { done } = uploadPresigned(put, fileOf(10), { stall: 100, retries: 0 })
      const error = yield* Effect.promise(() => failure(done))
      assert.deepStrictEqual([error.code, error.message], ["Stalled", "nothing moved for 0.1 seconds"])
    })
  )

  live("calls a file that cannot be read any more Changed", () =>
    shop(async (at) => {
      for (const size of [1000, 512_345]) {
        const file = Object.assign(fileOf(size), {
          slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotReadableError")) })
        })
        const grant = await at.grant(file)
        const error = await failure(upload(grant, file, { complete: at.complete }).done)
        assert.strictEqual(error.code, "Changed")
      }
    })
  )

  live("sends nothing in a header that was not granted", () =>
    shop(async (at) => {
      for (const size of [1000, 200_000, 512_345]) {
        const file = fileOf(size)
        const seen: Array<string> = []
        const { send } = meddling(({ headers }) => {
          seen.push(...Object.keys(headers))
          return undefined
        })
        const grant = await at.grant(file)
        await upload(grant, file, { send, complete: at.complete }).done
        assert.deepStrictEqual(seen, grant._tag === "Put" ? Object.keys(grant.put.headers) : [])
      }
    })
  )
})

describe("uploadForm and uploadPresigned", () => {
  it.scopedLive("upload with what Presign signs", () =>
    shop(async (at) => {
      const file = fileOf(1000)
      const form = await at.run(
        Presign.postObject({
          expiresIn: "1 minute",
          conditions: [PostPolicy.startsWith("key", "f/"), PostPolicy.startsWith("x-oss-meta-by", "")]
        })
      )
      const first = await uploadForm(form, "f/a", file, { fields: { "x-oss-meta-by": "me" } }).done
      assert.deepStrictEqual([first.key, first.size, first.verified, first.callback], ["f/a", 1000, true, undefined])
      const put = await at.run(Presign.putObject("p/a", { expiresIn: "1 minute", contentType: "text/plain" }))
      assert.strictEqual((await uploadPresigned(put, file).done).key, "p/a")
      const refusal = await failure(uploadForm(form, "g/a", file).done)
      assert.deepStrictEqual([refusal.code, refusal.status, refusal.ossCode], ["Refused", 403, "AccessDenied"])
    })
  )
})
