/**
 * What a person reads. The library's own messages are for developers.
 */
import { UploadFailed } from "effect-oss/browser"
import { maxSize } from "../limits.ts"
import { Refused } from "./server.ts"

export const size = (bytes: number): string => {
  const units = ["B", "KB", "MB", "GB"]
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toLocaleString("en", { maximumFractionDigits: power > 1 ? 1 : 0 })} ${units[power]}`
}

/** What stands where a picture will: `MP4`, or nothing for a name that does not tell. */
export const kind = ({ name }: File): string => (/\.(\w{1,4})$/.exec(name)?.[1] ?? "").toUpperCase()

const reference = ({ requestId }: UploadFailed): string => (requestId === "" ? "" : ` Reference: ${requestId}.`)

/** Why it failed, and what to do now. */
export const failure = (error: unknown, file: File): string => {
  if (!(error instanceof UploadFailed)) return "Something went wrong on this page. Reload it, and try again."
  if (error.cause instanceof Refused && error.cause.field === "size") {
    return `Too large: ${size(file.size)}. Files may have up to ${size(maxSize)}.`
  }
  if (error.cause instanceof Refused && error.cause.field === "contentType") {
    return "Not a picture or video that we can take: JPEG, PNG, GIF, WebP, MP4 or WebM, please."
  }
  switch (error.code) {
    case "CallbackFailed":
      return `Your file is stored, but our records do not show it yet. Please do not upload it again.${reference(error)}`
    case "Cancelled":
      return "Cancelled."
    case "Changed":
      return "The file changed or was moved while it was uploaded. Choose it again."
    case "Network":
    case "Stalled":
      return "The connection was lost. Choose the file again to go on where it stopped."
    case "Expired":
      return "This took too long. Choose the file again to go on where it stopped."
    case "Server":
      return "Our server did not answer. Choose the file again to go on where it stopped."
    case "Invalid":
    case "Refused":
    case "Corrupt":
      return `The upload was refused. Try again; if it happens again, tell us.${reference(error)}`
  }
}
