/**
 * What is written about the core: every exported function has a docstring, one that can fail says how, and the walk through
 * the core names every module that there is.
 */
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

interface Exported {
  /** `core/wire/Uri.ts: encode`. */
  readonly name: string
  /** Empty without one. */
  readonly doc: string
  /** As it is written; empty where it is inferred. */
  readonly returns: string
}

const isExported = (statement: ts.Statement): boolean =>
  ts.canHaveModifiers(statement) &&
  (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

/** The docstring right before a statement. A file's header is not its first statement's. */
const docOf = (text: string, statement: ts.Statement): string => {
  const last = ts.getLeadingCommentRanges(text, statement.getFullStart())?.at(-1)
  return last === undefined || last.pos === 0 ? "" : text.slice(last.pos, last.end)
}

const exportedFunctions = (file: string, text: string): ReadonlyArray<Exported> =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true).statements.flatMap((statement) => {
    if (!isExported(statement)) return []
    const doc = docOf(text, statement)
    const named = (name: string | undefined, type: ts.TypeNode | undefined) => ({
      name: `${file}: ${name}`,
      doc: doc.startsWith("/**") ? doc : "",
      returns: type?.getText() ?? ""
    })
    if (ts.isFunctionDeclaration(statement)) return [named(statement.name?.text, statement.type)]
    if (!ts.isVariableStatement(statement)) return []
    return statement.declarationList.declarations.flatMap(({ initializer, name }) =>
      initializer !== undefined && ts.isArrowFunction(initializer) ? [named(name.getText(), initializer.type)] : []
    )
  })

const all = readdirSync(join(root, "core"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .flatMap((file) => exportedFunctions(`core/${file}`, readFileSync(join(root, "core", file), "utf8")))

/** Return types by which a function tells its caller of a failure; the names are those of aliases in the core. */
const canFail = (returns: string): boolean =>
  /\bEither\.Either<[^]*,\s*(?!never\b)[^,]*>$|^(?:Checked|Read|Evaluated|Parsed|Refused)\b/.test(returns) ||
  returns.endsWith("| InvalidParam")

const saysHow = (doc: string): boolean => /\bfails?\b|\bgives `InvalidParam`|^\/\*\* 40[03] /i.test(doc)

describe("every exported function of the core", () => {
  it("has a docstring", () => {
    expect(all.length).toBeGreaterThan(250)
    expect(all.filter(({ doc }) => doc === "").map(({ name }) => name)).toEqual([])
  })

  it("says how it fails, where its type says that it can (model, ports, wire)", () => {
    const failing = all.filter(({ name, returns }) => !name.startsWith("core/programs/") && canFail(returns))
    expect(failing.length).toBeGreaterThan(60)
    expect(failing.filter(({ doc }) => !saysHow(doc)).map(({ name }) => name)).toEqual([])
  })
})

it("the core's README names every public module", () => {
  const read = (file: string) => readFileSync(join(root, "core", file), "utf8")
  const modules = [...read("index.ts").matchAll(/^export \* as (\w+)/gm)].map(([, name]) => name!)
  expect(modules.length).toBeGreaterThan(35)
  const page = read("README.md")
  expect(modules.filter((name) => !page.includes(`\`${name}\``))).toEqual([])
})
