import { type Options, upload, UploadFailed } from "effect-oss/browser"

const ask = async (path: string, body: unknown) => {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return response.json()
}

export const send = (file: File, storage: Options["storage"], show: (share: number) => void) =>
  upload(() => ask("/grant", { name: file.name, size: file.size, type: file.type }), file, {
    renew: (ticket, parts) => ask("/renew", { ticket, parts }),
    complete: (ticket, parts) => ask("/complete", { ticket, parts }),
    storage, // localStorage: goes on after a reload, when the same file is chosen again
    onProgress: ({ sent, total }) => show(sent / total)
  })

export const choose = async (file: File) => {
  const task = send(file, localStorage, (share) => console.log(share)) // task.pause(), task.resume(), task.cancel()
  try {
    const { callback, key } = await task.done
    return `stored as ${key}; the server says ${JSON.stringify(callback)}`
  } catch (error) {
    if (error instanceof UploadFailed && error.code === "CallbackFailed") return "stored, but the server was not told"
    throw error
  }
}
