/**
 * The page's HTML. It works as it is, one file at a time; with JavaScript it becomes what page/main.ts makes of it.
 */
import { PostPolicy, Presign, type SignedForm } from "effect-oss"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import * as Limits from "./limits.ts"

/** What the page may load, and where it may send. Nothing inline, nothing from elsewhere. */
export const headers = (oss: string, strict: boolean): Record<string, string> => ({
  "content-security-policy": [
    "default-src 'none'",
    // The second lets the CRC-64 run as WebAssembly. Without it, it is JavaScript, and about four times slower.
    strict ? "script-src 'self'" : "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    `img-src 'self' ${oss}`,
    `connect-src 'self' ${oss}`,
    `form-action 'self' ${oss}`,
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join("; "),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store"
})

/** A form for one small file, for browsers without JavaScript: OSS sends them on to `thanks`. */
export const plainForm = (thanks: string) =>
  Effect.gen(function* () {
    const folder = `uploads/${randomUUID()}/`
    const form = yield* Presign.postObject({
      expiresIn: "1 hour",
      conditions: [
        PostPolicy.startsWith("key", folder),
        PostPolicy.contentLengthRange(1, Limits.plainMaxSize),
        PostPolicy.in("content-type", Limits.contentTypes),
        PostPolicy.eq("success_action_redirect", thanks)
      ]
    })
    return { ...form, fields: { key: `${folder}\${filename}`, ...form.fields } }
  })

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character]!)

const document = (title: string, body: string, head = ""): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/page.css">
${head}</head>
<body>
<main>
${body}
</main>
</body>
</html>
`

const MiB = 1024 ** 2
const GiB = 1024 ** 3

export const html = ({ fields, url }: SignedForm.SignedForm): string => {
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`
  )
  return document(
    "Direct upload",
    `<h1>Upload pictures and videos</h1>
<p id="help">JPEG, PNG, GIF, WebP, MP4 or WebM<span class="one">, one file of up to ${Limits.plainMaxSize / MiB} MB</span><span class="many">, up to ${Limits.maxSize / GiB} GB each</span>.</p>
<form id="upload" action="${escape(url)}" method="post" enctype="multipart/form-data">
${hidden.join("\n")}
<div id="drop">
<label for="file"><span class="one">Choose a file</span><span class="many">Choose files</span><span class="drag"> or drag them here</span></label>
<input id="file" type="file" name="file" required accept="${Limits.contentTypes.join(",")}" aria-describedby="help">
</div>
<button id="send">Upload</button>
</form>
<p id="unfinished" role="status"></p>
<ul id="uploads" aria-label="Your uploads"></ul>
<p id="spoken" class="spoken" role="status"></p>`,
    `<script type="module" src="/page.js"></script>\n`
  )
}

export const thanks = document(
  "Uploaded",
  `<h1>Thank you</h1>
<p>Your file is stored.</p>
<p><a class="button" href="/">Upload another</a></p>`
)
