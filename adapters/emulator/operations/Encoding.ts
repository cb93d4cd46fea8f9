/**
 * `encoding-type=url`: keys in answers percent-encoded, because XML 1.0 cannot hold every character a key can. Pure.
 */
import * as Either from "effect/Either"
import * as Uri from "../../../core/wire/Uri.ts"
import * as Refusal from "../Refusal.ts"
import * as XmlText from "../XmlText.ts"

export interface Encoding {
  /** An element with a key, prefix, delimiter or marker in it. */
  readonly element: (name: string, text: string) => XmlText.Markup
  /** The answer's own word on it, where it was asked for. */
  readonly declaration: XmlText.Markup | undefined
}

const plain: Encoding = { element: XmlText.element, declaration: undefined }

const url: Encoding = {
  element: (name, text) => XmlText.element(name, Uri.encode(text)),
  declaration: XmlText.element("EncodingType", "url")
}

/** The encoding for the value of `encoding-type`; anything but `url` is refused. */
export const of = (value: string | undefined): Either.Either<Encoding, Refusal.Refusal> => {
  if (value === undefined || value === "") return Either.right(plain)
  if (value.toLowerCase() === "url") return Either.right(url)
  return Either.left(Refusal.invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", value))
}
