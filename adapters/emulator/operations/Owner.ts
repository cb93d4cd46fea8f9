/**
 * The one account that owns everything here, as documents show it. Pure.
 */
import type { Service } from "../Settings.ts"
import * as XmlText from "../XmlText.ts"

export const element = ({ ownerId }: Service): XmlText.Markup =>
  XmlText.parent("Owner", XmlText.element("ID", ownerId), XmlText.element("DisplayName", ownerId))
