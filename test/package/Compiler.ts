/**
 * TypeScript as a project of a user's would run it, but for one thing: of all declarations in node_modules only the package's
 * own are checked, as without `skipLibCheck`, and not Effect's, which would take a minute.
 */
import * as Path from "node:path"
import ts from "typescript"

const settings = {
  target: "ES2022",
  lib: ["ES2023", "DOM", "DOM.Iterable"],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  rewriteRelativeImportExtensions: true
}

/** The same as JavaScript with `require`, unchecked. */
export const toCommonJs = (code: string): string =>
  ts.transpile(code, { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS })

/** Compiles a project's files beside themselves, and answers what TypeScript says of them and of the package. */
export const complaints = (
  folder: string,
  files: ReadonlyArray<string>,
  module: "NodeNext" | "ESNext"
): ReadonlyArray<string> => {
  const json = { ...settings, module, ...(module === "ESNext" ? { moduleResolution: "bundler" } : {}) }
  const { errors, options } = ts.convertCompilerOptionsFromJson(json, folder)
  const program = ts.createProgram(
    files.map((file) => Path.join(folder, file)),
    options,
    ts.createCompilerHost(options)
  )
  const isChecked = ({ fileName }: ts.SourceFile) =>
    fileName.startsWith(`${folder}/`) || fileName.includes("/node_modules/effect-oss/")
  const checked = program.getSourceFiles().filter(isChecked)
  const diagnostics = [
    ...errors,
    ...program.getGlobalDiagnostics(),
    ...program.getOptionsDiagnostics(),
    ...checked.flatMap((source) => [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source)
    ])
  ]
  program.emit()
  const said = diagnostics.map(({ file, messageText }) => {
    const where = file === undefined ? "" : `${Path.relative(folder, file.fileName)}: `
    return where + ts.flattenDiagnosticMessageText(messageText, "\n")
  })
  // With so few files the package's declarations were not found.
  return checked.length < 50 ? [...said, `only ${checked.length} files are checked`] : said
}
