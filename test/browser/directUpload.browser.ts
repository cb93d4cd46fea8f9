/** The example in a real browser: what a person sees when all goes well, and when it does not. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs/promises"
import * as Path from "node:path"
import type { Browser, Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import * as Stage from "./Stage.ts"

const MB = 1024 ** 2

let browser: Browser
let stage: Stage.Stage | undefined

beforeAll(async () => {
  browser = await Stage.launch()
})
afterEach(async () => {
  await stage?.close()
  stage = undefined
})
afterAll(() => browser.close())

const open = async (options?: Parameters<typeof Stage.open>[1]) => (stage = await Stage.open(browser, options))

const visit = async (at: Stage.Stage, options?: Parameters<Stage.Stage["page"]>[0]): Promise<Page> => {
  const page = await at.page(options)
  page.on("pageerror", (error) => console.error(error))
  await page.goto(at.url)
  return page
}

const item = (page: Page, name: string) => page.locator("#uploads li", { hasText: name })

const isDone = (page: Page, name: string, timeout = 90_000) =>
  page.locator("#uploads li.done", { hasText: name }).waitFor({ timeout })

const statusOf = async (page: Page, name: string) => (await item(page, name).locator(".status").textContent()) ?? ""

/** How far the bar is, from 0 to 1. */
const progressOf = (page: Page, name: string): Promise<number> =>
  item(page, name)
    .locator("progress")
    .evaluate((bar: HTMLProgressElement) => bar.position, undefined, { timeout: 3000 })

const reaches = async (page: Page, name: string, share: number): Promise<void> => {
  for (let i = 0; i < 600; i++) {
    if ((await progressOf(page, name)) >= share) return
    await page.waitForTimeout(50)
  }
  assert.fail(`${name} did not come as far as ${share}`)
}

const choose = (page: Page, ...files: ReadonlyArray<string>) => page.setInputFiles("#file", [...files])

/** What is stored of the file that was called so. */
const stored = async (at: Stage.Stage, name: string): Promise<Uint8Array> => {
  const objects = await Effect.runPromise(at.emulator().objects())
  const object = objects.find(({ key }) => key.endsWith(`/${name}`))
  assert(object !== undefined, `${name} is stored`)
  return Option.getOrThrow(await Effect.runPromise(at.emulator().object(object.key)))
}

const isStored = async (at: Stage.Stage, name: string, content: Buffer): Promise<void> =>
  assert.isTrue(content.equals(await stored(at, name)), `${name} is stored as it was`)

const partsSent = async (at: Stage.Stage): Promise<number> =>
  (await Effect.runPromise(at.emulator().requests)).filter(
    ({ operation, status }) => operation === "UploadPart" && status === 200
  ).length

describe("direct upload in Chromium", () => {
  it("takes three files by drag and drop, with progress, and shows what the server answered", async () => {
    const at = await open()
    const page = await visit(at)
    at.throttle(30 * MB)
    const transfer = await page.evaluateHandle(
      ({ MB, png }) => {
        const transfer = new DataTransfer()
        const add = (content: BlobPart, name: string, type: string) =>
          transfer.items.add(new File([content], name, { type, lastModified: 1000 }))
        add(
          Uint8Array.from(atob(png), (character) => character.charCodeAt(0)),
          "日本 small.png",
          "image/png"
        )
        add(new Uint8Array(20 * MB).fill(1), "middle.webm", "video/webm")
        add(new Uint8Array(200 * MB).fill(2), "large.mp4", "video/mp4")
        return transfer
      },
      { MB, png: Stage.png.toString("base64") }
    )
    await page.dispatchEvent("#drop", "dragover", { dataTransfer: transfer })
    assert.include((await page.locator("#drop").getAttribute("class")) ?? "", "over")
    await page.dispatchEvent("#drop", "drop", { dataTransfer: transfer })
    await reaches(page, "large.mp4", 0.2)
    assert.strictEqual(await page.textContent("#unfinished"), "", "what is under way here is not called unfinished")
    assert.match(await statusOf(page, "large.mp4"), /^[\d.]+ MB of 200 MB$/)
    await Stage.screenshot(page, "drag-and-drop-under-way")
    const seen: Array<number> = []
    while ((await item(page, "large.mp4").locator("progress").count()) > 0) {
      seen.push(await progressOf(page, "large.mp4").catch(() => 1))
      await page.waitForTimeout(100)
    }
    await Promise.all(["small.png", "middle.webm", "large.mp4"].map((name) => isDone(page, name)))
    assert.isAtLeast(new Set(seen).size, 5, "the bar moves")
    assert.deepStrictEqual(
      seen,
      [...seen].sort((a, b) => a - b),
      "the bar never falls"
    )
    assert.strictEqual(await statusOf(page, "small.png"), "Uploaded, 70 B")
    assert.strictEqual(await statusOf(page, "large.mp4"), "Uploaded, 200 MB")
    const picture = item(page, "small.png").locator("img")
    await picture.evaluate((image: HTMLImageElement) => image.decode())
    assert.strictEqual(await picture.getAttribute("alt"), "日本 small.png")
    await Stage.screenshot(page, "drag-and-drop-done")
    await isStored(at, "日本 small.png", Stage.png)
    await isStored(at, "middle.webm", Buffer.alloc(20 * MB, 1))
    await isStored(at, "large.mp4", Buffer.alloc(200 * MB, 2))
  })

  it("goes on after a reload in the middle, and sends only what is missing", async () => {
    const at = await open()
    const page = await visit(at)
    const path = await Stage.file(at.folder, "holiday.mp4", 100 * MB)
    at.throttle(30 * MB)
    await choose(page, path)
    await reaches(page, "holiday.mp4", 0.5)
    await page.reload()
    assert.strictEqual(await page.textContent("#unfinished"), "Not finished: holiday.mp4. Choose again to go on.")
    await Stage.screenshot(page, "after-reload")
    const before = await partsSent(at)
    await choose(page, path)
    await isDone(page, "holiday.mp4")
    assert.strictEqual(await page.textContent("#unfinished"), "")
    assert.isAtLeast(before, 3)
    // 13 parts of 8 MB. A part whose answer the reload has cut off may be sent again: as many as were on their way.
    assert.isAtMost(await partsSent(at), 13 + 3)
    await isStored(at, "holiday.mp4", Stage.bytes(100 * MB))
  })

  it("pauses and resumes by the keyboard", async () => {
    const at = await open()
    const page = await visit(at)
    at.throttle(20 * MB)
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 60 * MB))
    await reaches(page, "holiday.mp4", 0.2)
    await page.getByRole("button", { name: "Pause holiday.mp4" }).focus()
    await page.keyboard.press("Enter")
    await page.getByText("Paused").waitFor()
    // The button that took its place has the focus.
    assert.strictEqual(
      await page.evaluate(() => document.activeElement?.getAttribute("aria-label")),
      "Resume holiday.mp4"
    )
    await Stage.screenshot(page, "paused")
    const sent = await partsSent(at)
    await page.waitForTimeout(700)
    assert.strictEqual(await partsSent(at), sent)
    await page.keyboard.press("Enter")
    await isDone(page, "holiday.mp4")
    await isStored(at, "holiday.mp4", Stage.bytes(60 * MB))
  })

  it("cancels, and leaves nothing behind", async () => {
    const at = await open()
    const page = await visit(at)
    at.throttle(20 * MB)
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 60 * MB))
    await reaches(page, "holiday.mp4", 0.2)
    await page.getByRole("button", { name: "Cancel holiday.mp4" }).press("Enter")
    await page.getByText("Cancelled.").first().waitFor()
    // The button is gone; who was at it is still at the item.
    assert.include(await page.evaluate(() => document.activeElement?.textContent), "holiday.mp4Cancelled.")
    assert.strictEqual(await page.textContent("#unfinished"), "")
    for (let i = 0; i < 100 && (await Effect.runPromise(at.emulator().uploads())).length > 0; i++) {
      await page.waitForTimeout(50)
    }
    assert.deepStrictEqual(await Effect.runPromise(at.emulator().uploads()), [])
  })

  it("refuses a wrong type and a file too large, in words for people, and the policy itself refuses them too", async () => {
    const at = await open()
    const page = await visit(at)
    await page.evaluate(
      (size) => {
        const transfer = new DataTransfer()
        transfer.items.add(new File(["text"], "notes.txt", { type: "text/plain" }))
        const huge = Object.defineProperty(new File(["x"], "huge.mp4", { type: "video/mp4" }), "size", { value: size })
        const files = [...transfer.files, huge]
        const event = new Event("drop", { bubbles: true, cancelable: true })
        document.dispatchEvent(Object.defineProperty(event, "dataTransfer", { value: { files } }))
      },
      3 * 1024 * MB
    )
    await item(page, "notes.txt").getByText("Not a picture or video that we can take").waitFor()
    await item(page, "huge.mp4").getByText("Too large: 3 GB. Files may have up to 2 GB.").waitFor()
    await Stage.screenshot(page, "refused")

    // A page that lies to its server gets a grant for what it said, and OSS takes nothing else.
    const refusals = await page.evaluate(async () => {
      const asked = { name: "a.png", size: 10, type: "image/png" }
      const granted = await fetch("/grant", { method: "POST", body: JSON.stringify(asked) })
      const { form, key } = (await granted.json()) as {
        form: { url: string; fields: Record<string, string> }
        key: string
      }
      const send = async (change: Record<string, string>, size: number) => {
        const body = new FormData()
        for (const [name, value] of Object.entries({ ...form.fields, key, ...change })) body.set(name, value)
        body.set("file", new Blob([new Uint8Array(size)]))
        const answer = await fetch(form.url, { method: "POST", body })
        return `${answer.status} ${/<Code>(\w+)/.exec(await answer.text())?.[1]}`
      }
      return [
        await send({}, 11),
        await send({}, 9),
        await send({ "x-oss-content-type": "text/html" }, 10),
        await send({ key: "elsewhere.png" }, 10)
      ]
    })
    assert.deepStrictEqual(refusals, [
      "400 EntityTooLarge",
      "400 EntityTooSmall",
      "403 AccessDenied",
      "403 AccessDenied"
    ])
    assert.deepStrictEqual(await Effect.runPromise(at.emulator().objects()), [])
  })

  it("works without JavaScript: a plain form, and OSS's refusal of what it does not permit", async () => {
    const at = await open()
    const page = await visit(at, { javaScriptEnabled: false })
    const path = Path.join(at.folder, "日本 ü.png")
    await Fs.writeFile(path, Stage.png)
    await Stage.screenshot(page, "plain-form")
    await page.getByLabel("Choose a file").setInputFiles(path)
    await page.getByRole("button", { name: "Upload" }).click()
    await page.getByRole("heading", { name: "Thank you" }).waitFor()
    await Stage.screenshot(page, "plain-form-done")
    await isStored(at, "日本 ü.png", Stage.png)

    await page.goto(at.url)
    await Fs.writeFile(Path.join(at.folder, "notes.txt"), "text")
    await page.getByLabel("Choose a file").setInputFiles(Path.join(at.folder, "notes.txt"))
    const [answer] = await Promise.all([
      page.waitForResponse((one) => one.request().method() === "POST"),
      page.click("#send")
    ])
    assert.strictEqual(answer.status(), 403)
  })

  it("renews URLs that are over in the middle", async () => {
    const at = await open({ expiresIn: "3 seconds" })
    const page = await visit(at)
    at.throttle(10 * MB)
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 80 * MB))
    await isDone(page, "holiday.mp4")
    await Stage.settled()
    const renewals = Stage.traffic.filter(({ url }) => url === `${at.url}/renew`)
    assert.isAtLeast(renewals.length, 1)
    await isStored(at, "holiday.mp4", Stage.bytes(80 * MB))
  })

  it("waits while it is offline, and goes on", async () => {
    const at = await open()
    const page = await visit(at)
    at.throttle(20 * MB)
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 60 * MB))
    await reaches(page, "holiday.mp4", 0.3)
    await page.context().setOffline(true)
    await page.getByText("Waiting for the connection").waitFor()
    await Stage.screenshot(page, "offline")
    await page.waitForTimeout(2000)
    await page.context().setOffline(false)
    await isDone(page, "holiday.mp4")
    await isStored(at, "holiday.mp4", Stage.bytes(60 * MB))
  })

  it("goes on when OSS was away in the middle", async () => {
    const at = await open()
    const page = await visit(at)
    at.throttle(20 * MB)
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 60 * MB))
    await reaches(page, "holiday.mp4", 0.3)
    await at.restart(1500)
    await isDone(page, "holiday.mp4")
    await isStored(at, "holiday.mp4", Stage.bytes(60 * MB))
  })

  it("works under a policy that forbids WebAssembly, and is as sure of the bytes", async () => {
    const at = await open({ strict: true })
    const page = await at.page()
    const violations: Array<string> = []
    page.on("console", (message) => {
      if (message.type() === "error") violations.push(message.text())
    })
    await page.goto(at.url)
    const allowed = await page
      .addScriptTag({ content: "1" })
      .then(() => true)
      .catch(() => false)
    assert.isFalse(allowed, "scripts inside the page are forbidden")
    const compiled = await page.evaluate(() => {
      try {
        void new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
        return true
      } catch {
        return false
      }
    })
    assert.isFalse(compiled, "WebAssembly is forbidden")
    violations.length = 0
    await choose(page, await Stage.file(at.folder, "holiday.mp4", 40 * MB))
    await isDone(page, "holiday.mp4")
    assert.deepStrictEqual(
      violations.filter((text) => !/wasm|WebAssembly/i.test(text)),
      []
    )
    await isStored(at, "holiday.mp4", Stage.bytes(40 * MB))
  })

  it("can be used by whom cannot see it: names, roles, and contrast in light and dark", async () => {
    const at = await open()
    const page = await visit(at)
    await page.keyboard.press("Tab")
    assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "file")
    await page.getByRole("button", { name: "Choose files" }).waitFor()
    at.throttle(10 * MB)
    await choose(page, await Stage.file(at.folder, "notes.txt", 1000), await Stage.file(at.folder, "b.mp4", 60 * MB))
    await page.getByRole("listitem").getByText("Not a picture or video").waitFor()
    await page.getByRole("progressbar", { name: "Progress of b.mp4" }).waitFor()
    await page.getByRole("button", { name: "Pause b.mp4" }).press("Enter")
    await page.getByText("Paused").waitFor()
    await choose(page, await Stage.file(at.folder, "a.mp4", 1000))
    await isDone(page, "a.mp4")
    assert.include((await page.getByRole("status").allTextContents()).join(), "a.mp4: Uploaded, 1,000 B")
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme })
      const ratios = await page.evaluate(() => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!
        const luminance = (color: string): number => {
          canvas.fillStyle = color
          canvas.fillRect(0, 0, 1, 1)
          const [r = 0, g = 0, b = 0] = Array.from(canvas.getImageData(0, 0, 1, 1).data, (byte) => {
            const value = byte / 255
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
          })
          return 0.2126 * r + 0.7152 * g + 0.0722 * b
        }
        /** The colour behind a text: that of the nearest element that paints one. */
        const behind = (element: Element | null): string => {
          const { backgroundColor } = getComputedStyle(element ?? document.documentElement)
          return element === null || backgroundColor !== "rgba(0, 0, 0, 0)"
            ? backgroundColor
            : behind(element.parentElement)
        }
        return [
          "h1",
          "#help",
          "label",
          ".picture",
          ".name",
          ".status",
          ".done .status",
          ".failed .status",
          "li button"
        ].map((selector) => {
          const element = document.querySelector(selector)!
          const [text, paper] = [luminance(getComputedStyle(element).color), luminance(behind(element))]
          return (Math.max(text, paper) + 0.05) / (Math.min(text, paper) + 0.05)
        })
      })
      assert.isAtLeast(Math.min(...ratios), 4.5, `${colorScheme}: ${ratios.map((ratio) => ratio.toFixed(1)).join()}`)
    }
    await Stage.screenshot(page, "dark")
    await page.setViewportSize({ width: 360, height: 640 })
    assert.isTrue(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "fits a phone")
    await Stage.screenshot(page, "phone")
  })
})

describe("all that the browser has sent and got", () => {
  const own = [
    /^(?:accept|accept-encoding|accept-language|cache-control|connection|content-length|content-type|host|origin|pragma|user-agent)$/,
    /^(?:sec-|upgrade-insecure-requests$|access-control-request-|priority$|range$|if-)/
  ]

  it("has neither the key's secret nor the tickets' in it", async () => {
    await Stage.settled()
    assert.isAtLeast(Stage.traffic.length, 100)
    // The bodies are there to be searched, those that grant in the first place.
    assert.isAtLeast(Stage.traffic.filter(({ text, url }) => url.endsWith("/grant") && text !== "").length, 10)
    const forms = [Stage.keySecret, Stage.ticketSecret].flatMap((secret) => [
      secret,
      Buffer.from(secret).toString("hex"),
      // Without its last, which depends on what follows.
      Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1)
    ])
    const told = Stage.traffic.filter((exchange) => {
      const text = JSON.stringify(exchange)
      return forms.some((form) => text.includes(form))
    })
    assert.deepStrictEqual(
      told.map(({ url }) => url),
      []
    )
  })

  it("has no header to OSS that the browser's own habits or the grant do not explain", () => {
    const granted = new Set(["x-oss-callback", "x-oss-callback-var"])
    const strange = Stage.traffic.flatMap(({ requestHeaders, url }) =>
      Object.keys(requestHeaders)
        .filter((name) => !name.startsWith(":") && !own.some((known) => known.test(name)) && !granted.has(name))
        .map((name) => `${name} to ${new URL(url).origin}`)
    )
    assert.deepStrictEqual([...new Set(strange)], [])
  })
})
