/**
 * A request as a line for a shell. Pure.
 */

/** One argument of a POSIX shell, quoted where that is needed. */
export const quote = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", String.raw`'\''`)}'`

/** A presigned request; `file` is what a PUT sends. */
export const request = (
  {
    headers,
    method,
    url
  }: { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, string>> },
  file: string | undefined
): string => {
  const body =
    method === "PUT"
      ? ["--upload-file", quote(file ?? "FILE")]
      : method === "GET"
        ? []
        : method === "HEAD"
          ? ["--head"]
          : ["--request", method]
  // curl folds "a/../b" unless told not to, and OSS signed the path as it stands.
  return [
    "curl",
    "--path-as-is",
    ...body,
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", quote(`${name}: ${value}`)]),
    quote(url)
  ].join(" ")
}

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
