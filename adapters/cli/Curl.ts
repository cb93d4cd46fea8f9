/**
 * A request as a line for a shell. Pure.
 */

/** One argument of a POSIX shell, quoted where that is needed. */
export const quote = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`

/**
 * How curl is told what to do. `--upload-file` reads as it sends, but puts the file's name behind a path that ends in "/",
 * and folds one that ends in ".."; `--data-binary` leaves the path alone, and holds the file in memory.
 */
const action = (method: string, path: string, file: string): ReadonlyArray<string> => {
  switch (method) {
    case "PUT":
      return /\/\.{0,2}$/.test(path)
        ? ["--request", "PUT", "--data-binary", quote(`@${file}`)]
        : ["--upload-file", quote(file)]
    case "GET":
      return []
    case "HEAD":
      return ["--head"]
    default:
      return ["--request", method]
  }
}

/** A presigned request; `file` is what a PUT sends. */
export const request = (
  {
    headers,
    method,
    url
  }: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>> },
  file: string | undefined
): string =>
  [
    "curl",
    // The keys "." and ".." would be folded away, and OSS signed the path as it stands.
    "--path-as-is",
    ...action(method, url.split("?", 1)[0] ?? url, file ?? "FILE"),
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", quote(`${name}: ${value}`)]),
    quote(url)
  ].join(" ")

/** A form; the file comes last, as OSS wants it. */
export const form = (
  { fields, url }: { readonly url: string; readonly fields: Readonly<Record<string, string>> },
  key: string,
  file: string | undefined
): string =>
  [
    "curl",
    "--form-string",
    quote(`key=${key}`),
    ...Object.entries(fields).flatMap(([name, value]) => ["--form-string", quote(`${name}=${value}`)]),
    "--form",
    quote(`file=@${file ?? "FILE"}`),
    quote(url)
  ].join(" ")
