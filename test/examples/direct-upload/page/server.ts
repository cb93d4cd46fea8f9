/**
 * What the page asks of its own server.
 */
import type { Options } from "effect-oss/browser"
import type { UploadGrant } from "effect-oss"

/** The server's refusal. `field` names what is wrong with the file: `size` or `contentType`. */
export class Refused extends Error {
  readonly field: string
  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

const post = async <A>(path: string, body: unknown): Promise<A> => {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  // The server is the page's own, and of the same version.
  if (response.ok) return response.json() as Promise<A>
  const { field = "", message = `status ${response.status}` } = (await response.json().catch(() => ({}))) as {
    readonly field?: string
    readonly message?: string
  }
  throw new Refused(field, message)
}

export const grant = (file: File): Promise<UploadGrant.UploadGrant> =>
  post("/grant", { name: file.name, size: file.size, type: file.type || "application/octet-stream" })

export const parts: Pick<Required<Options>, "renew" | "complete" | "abort"> = {
  renew: (ticket, parts) => post("/renew", { ticket, parts }),
  complete: (ticket, parts) => post("/complete", { ticket, parts }),
  abort: (ticket) => post("/abort", { ticket })
}
