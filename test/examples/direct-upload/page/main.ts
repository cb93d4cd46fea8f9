/**
 * The page with JavaScript: several files at once, by drag and drop or the file chooser, each with its progress.
 */
import { fingerprint, type State, type Task, upload, type Uploaded } from "effect-oss/browser"
import type { Answer } from "../contract.ts"
import * as Server from "./server.ts"
import * as Words from "./words.ts"

const find = <E extends HTMLElement>(id: string): E => document.getElementById(id) as E // they are in page.ts

const form = find<HTMLFormElement>("upload")
const input = find<HTMLInputElement>("file")
const drop = find("drop")
const list = find("uploads")
const spoken = find("spoken")
const unfinished = find("unfinished")

const element = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {}
): HTMLElementTagNameMap[K] => Object.assign(document.createElement(tag), properties)

const button = (text: string, name: string, act: () => void): HTMLButtonElement => {
  const made = element("button", { type: "button", textContent: text })
  made.setAttribute("aria-label", `${text} ${name}`)
  made.addEventListener("click", act)
  return made
}

/** The uploads of this page that are not over, by what they are remembered by. */
const running = new Set<string>()

/** What this browser remembers of uploads that were not finished, and that nobody here is at: their names. */
const showUnfinished = (): void => {
  const names = Object.keys(localStorage).flatMap((key) => {
    const id = key.slice("effect-oss:".length)
    if (!key.startsWith("effect-oss:") || running.has(id)) return []
    const [name = ""] = JSON.parse(id) as ReadonlyArray<string> // see `fingerprint`
    return [name]
  })
  unfinished.textContent = names.length === 0 ? "" : `Not finished: ${names.join(", ")}. Choose again to go on.`
}

const words: Readonly<Record<State, string>> = {
  running: "",
  waiting: "Waiting for the connection …",
  paused: "Paused",
  completing: "Nearly done …",
  done: "Done",
  failed: ""
}

/** Starts an upload, and shows it for the rest of the page's life. */
const start = (file: File): void => {
  const item = element("li", { tabIndex: -1 })
  const picture = element("span", { className: "picture", textContent: Words.kind(file) })
  picture.ariaHidden = "true"
  const bar = element("progress", { max: Math.max(1, file.size), value: 0 })
  bar.setAttribute("aria-label", `Progress of ${file.name}`)
  const status = element("span", { className: "status" })
  const buttons = element("span", { className: "buttons" })
  const text = element("div", { className: "text" })
  const name = element("span", { className: "name", textContent: file.name })
  text.append(name, bar, status)
  item.append(picture, text, buttons)
  list.prepend(item)

  let sent = 0
  const show = (text: string): void => {
    status.textContent = [text, `${Words.size(sent)} of ${Words.size(file.size)}`].filter(Boolean).join(" · ")
  }
  const offer = (state: State): void => {
    const cancel = button("Cancel", file.name, () => task.cancel())
    const pause = button("Pause", file.name, () => task.pause())
    const resume = button("Resume", file.name, () => task.resume())
    const hadFocus = buttons.contains(document.activeElement)
    if (state === "completing") buttons.replaceChildren()
    else buttons.replaceChildren(state === "paused" ? resume : pause, cancel)
    if (hadFocus) (buttons.querySelector("button") ?? item).focus()
  }
  const finish = (className: string, text: string): void => {
    item.className = className
    status.textContent = text
    spoken.textContent = `${file.name}: ${text}`
    // Who was at its buttons stays at the item.
    if (buttons.contains(document.activeElement)) item.focus()
    buttons.replaceChildren()
    bar.remove()
    running.delete(fingerprint(file))
    showUnfinished()
  }

  running.add(fingerprint(file))
  showUnfinished()
  const task: Task = upload(() => Server.grant(file), file, {
    ...Server.parts,
    storage: localStorage,
    onProgress: (progress) => {
      sent = progress.sent
      bar.value = sent
      show(words[task.state()])
    },
    onState: (state) => {
      if (state === "done" || state === "failed") return
      show(words[state])
      offer(state)
    }
  })
  offer("running")
  task.done.then(
    (uploaded) => finish("done", told(uploaded, name, picture)),
    (error: unknown) => finish("failed", Words.failure(error, file))
  )
}

/** What the server answered when OSS told it, on screen. */
const told = ({ callback }: Uploaded, name: HTMLElement, picture: HTMLElement): string => {
  const answer = callback as Answer // the server's, of the same version, checked there by the contract
  if (answer.picture !== null) picture.replaceWith(element("img", { src: answer.picture, alt: answer.name }))
  name.textContent = answer.name
  return `Uploaded, ${Words.size(answer.size)}`
}

const startAll = (files: Iterable<File>): void => {
  for (const file of files) start(file)
}

document.documentElement.className = "scripted"
input.multiple = true
input.required = false
input.addEventListener("change", () => {
  startAll(input.files ?? [])
  input.value = ""
})
form.addEventListener("submit", (event) => event.preventDefault())
for (const type of ["dragover", "dragleave", "drop"] as const) {
  document.addEventListener(type, (event) => {
    // A file dropped beside the field must not replace the page.
    event.preventDefault()
    drop.classList.toggle("over", type === "dragover")
    if (type === "drop") startAll(event.dataTransfer?.files ?? [])
  })
}
showUnfinished()
