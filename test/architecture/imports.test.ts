/**
 * Who may import whom: core/model <- core/ports <- core/wire <- core/programs <- core/index.ts <- adapters, and adapters
 * not each other, except that emulator and cli may use node and fs, platform fetch, whose limits it shares, and cluster
 * platform, on which its own packages stand and whose files it reads.
 */
import { readFileSync, readdirSync } from "node:fs"
import { dirname, join, normalize, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

const sources = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .map((file) => join(folder, file))

const importsOf = (file: string): ReadonlyArray<string> =>
  [
    ...readFileSync(join(root, file), "utf8").matchAll(
      /^(?:import|export)\s[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm
    )
  ].map((match) => (match[1] ?? match[2] ?? match[3])!)

const ranks = ["core/model", "core/ports", "core/wire", "core/programs", "core/index.ts"]
const rankOf = (file: string): number => ranks.findIndex((rank) => file.startsWith(rank))

/** What the core may import beside itself and Effect, and why. */
const coreLibraries: Readonly<Record<string, string>> = {
  "@rgrove/parse-xml": "strict XML",
  "mime/lite": "content types by file ending"
}

const coreComplaints = (file: string): ReadonlyArray<string> =>
  importsOf(file).flatMap((specifier) => {
    if (specifier.startsWith(".")) {
      const target = normalize(join(dirname(file), specifier))
      if (!target.startsWith("core/")) return [`${file} imports ${target}: the core imports only itself`]
      return rankOf(target) > rankOf(file)
        ? [`${file} imports ${target}: that rank is above its own (${ranks.join(" <- ")})`]
        : []
    }
    if (specifier.startsWith("effect/")) return []
    if (specifier in coreLibraries) return []
    return [`${file} imports "${specifier}": the core may import effect/* and ${Object.keys(coreLibraries).join(", ")}`]
  })

const mayUse: Readonly<Record<string, ReadonlyArray<string>>> = {
  emulator: ["node", "fs"],
  platform: ["fetch"],
  cluster: ["platform"],
  cli: ["node", "fs", "emulator"]
}

const adapterComplaints = (file: string): ReadonlyArray<string> =>
  importsOf(file).flatMap((specifier) => {
    if (!specifier.startsWith(".")) return specifier === "effect" ? [`${file} imports the "effect" barrel`] : []
    const target = relative("adapters", normalize(join(dirname(file), specifier)))
    const own = file.split("/")[1]!
    const other = target.split("/")[0]!
    if (other === ".." || other === own || mayUse[own]?.includes(other)) return []
    return [`${file} imports adapters/${target}: adapters do not import each other`]
  })

describe("import direction", () => {
  it("every core file imports only its own rank and those below", () => {
    expect(sources("core").flatMap(coreComplaints)).toEqual([])
  })

  it("adapters do not import each other", () => {
    expect(sources("adapters").flatMap(adapterComplaints)).toEqual([])
  })

  it("no source outside test and benchmarks imports them", () => {
    const strays = [...sources("core"), ...sources("adapters")].filter((file) =>
      importsOf(file).some((specifier) => /\/(?:test|benchmarks)\//.test(specifier))
    )
    expect(strays).toEqual([])
  })
})

describe("the core is free of clocks, chance and hosts", () => {
  // `new Date(time)` and `Date.parse` read no clock. What hosts add to the language does not compile in the core at all.
  const forbidden =
    /\bDate\.now\b|\bnew Date\b(?!\([^)])|(?<!new )\bDate\(|\bMath\.random\b|\bperformance\b|\bconsole\b|\bprocess\.|\bBuffer\b|\bset(?:Timeout|Interval)\b|\bglobalThis\b/
  const withoutComments = (code: string): string => code.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "")

  it("time is Clock, chance is Random, and nothing prints", () => {
    const found = sources("core").filter((file) =>
      forbidden.test(withoutComments(readFileSync(join(root, file), "utf8")))
    )
    expect(found).toEqual([])
  })

  it("which is seen in whatever way it is written", () => {
    const seen = [
      "Date.now()",
      "new Date()",
      "+new Date",
      "Date()",
      "Math.random()",
      "setInterval(f, 1)",
      "console.log(1)"
    ]
    const not = ["new Date(time)", "Date.parse(text)", "// Date.now()", "/* new Date() */", 'link("https://a/b")']
    expect(seen.filter((code) => !forbidden.test(withoutComments(code)))).toEqual([])
    expect(not.filter((code) => forbidden.test(withoutComments(code)))).toEqual([])
    expect(forbidden.test(withoutComments('link("https://a/b"); Math.random()'))).toBe(true)
  })
})

describe("files", () => {
  it("every source file opens by saying what it is", () => {
    const silent = [...sources("core"), ...sources("adapters")].filter(
      (file) => !/^(?:#!.*\n)?\/\*\*/.test(readFileSync(join(root, file), "utf8"))
    )
    expect(silent).toEqual([])
  })

  it("stay under 250 lines, unless the header says why", () => {
    const long = [...sources("core"), ...sources("adapters")].filter((file) => {
      const text = readFileSync(join(root, file), "utf8")
      return text.split("\n").length > 250 && !/^(?:#!.*\n)?\/\*\*[\s\S]*?\blong because\b[\s\S]*?\*\//i.test(text)
    })
    expect(long).toEqual([])
  })
})
