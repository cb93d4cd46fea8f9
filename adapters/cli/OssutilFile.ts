/**
 * The configuration file of Alibaba's own `ossutil`, as far as it is simple: region, endpoint and keys of one profile. Pure.
 *
 * Version 1 keeps them under `[Credentials]`, version 2 under `[default]` and `[profile NAME]`. Names of sections and keys
 * are read in any case, keys also with "-" or "_" between their words; "#" begins a comment line. Roles, external
 * processes and per-bucket sections are not read. Source: "Configure ossutil",
 * https://www.alibabacloud.com/help/en/oss/developer-reference/configure-ossutil2
 */

/** What one profile says. Empty values are as absent. */
export interface Profile {
  readonly region?: string
  readonly endpoint?: string
  readonly accessKeyId?: string
  readonly accessKeySecret?: string
  readonly securityToken?: string
}

const fields: Readonly<Record<string, keyof Profile>> = {
  region: "region",
  endpoint: "endpoint",
  accesskeyid: "accessKeyId",
  accesskeysecret: "accessKeySecret",
  ststoken: "securityToken",
  securitytoken: "securityToken"
}

const sectionsOf = (profile: string): ReadonlyArray<string> =>
  profile === "default" ? ["default", "profile default", "credentials"] : [`profile ${profile}`]

/** The profile's settings; `undefined` when the file has no such section. */
export const parse = (text: string, profile = "default"): Profile | undefined => {
  const wanted = sectionsOf(profile.toLowerCase())
  const found = new Map<string, Partial<Record<keyof Profile, string>>>()
  let section = ""
  for (const raw of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const line = raw.trim()
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue
    const heading = /^\[\s*(.*?)\s*\]$/.exec(line)?.[1]
    if (heading !== undefined) {
      section = heading.replace(/\s+/g, " ").toLowerCase()
      if (!found.has(section)) found.set(section, {})
      continue
    }
    const at = line.indexOf("=")
    const field = at === -1 ? undefined : fields[line.slice(0, at).trim().toLowerCase().replace(/[-_]/g, "")]
    const value = line.slice(at + 1).trim()
    const settings = found.get(section)
    if (field !== undefined && value !== "" && settings !== undefined) settings[field] = value
  }
  const name = wanted.find((name) => found.has(name))
  return name === undefined ? undefined : found.get(name)
}
