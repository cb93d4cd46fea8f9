/**
 * The official clients: how each is installed from its registry, at a pinned version, and how its program is started.
 *
 * All of it happens in a folder of a cache: what is there already is not installed again.
 */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"

/** A command line and what is added to its environment. */
export interface Command {
  readonly command: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

export interface Client {
  readonly name: string
  readonly version: string
  /** Commands that must be there; the client is skipped, loudly, when one is not. */
  readonly needs: ReadonlyArray<string>
  /** What puts the client into the folder. Run in it. */
  readonly install: (folder: string) => ReadonlyArray<ReadonlyArray<string>>
  /** What runs its scenarios. */
  readonly run: (folder: string) => Command
}

const here = fileURLToPath(new URL("clients/", import.meta.url))
const program = (name: string) => Path.join(here, name)

const python = (name: string, module: string, version: string, file: string): Client => ({
  name,
  version,
  needs: ["python3"],
  install: () => [
    ["python3", "-m", "venv", "venv"],
    ["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check", `${module}==${version}`]
  ],
  run: (folder) => ({ command: [Path.join(folder, "venv/bin/python"), program(file)] })
})

const mavenProject = (version: string) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>interop</groupId>
  <artifactId>interop</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.aliyun.oss</groupId>
      <artifactId>aliyun-sdk-oss</artifactId>
      <version>${version}</version>
    </dependency>
  </dependencies>
</project>
`

const aliOss = "6.23.0"
const javaSdk = "3.18.4"
const goSdk = "v1.6.1"

export const all: ReadonlyArray<Client> = [
  {
    name: "ali-oss",
    version: aliOss,
    needs: ["node", "npm"],
    install: () => [["npm", "install", "--prefix", ".", "--no-save", "--no-audit", "--no-fund", `ali-oss@${aliOss}`]],
    run: (folder) => ({ command: ["node", program("ali-oss.cjs")], env: { CLIENT: folder } })
  },
  python("oss2", "oss2", "2.19.1", "oss2_program.py"),
  python("oss-v2 (Python)", "alibabacloud-oss-v2", "1.3.2", "oss_v2_program.py"),
  {
    name: "aliyun-sdk-oss (Java)",
    version: javaSdk,
    needs: ["java", "mvn"],
    install: (folder) => {
      Fs.writeFileSync(Path.join(folder, "pom.xml"), mavenProject(javaSdk))
      return [["mvn", "-q", "-B", "-ntp", "dependency:copy-dependencies", "-DoutputDirectory=lib"]]
    },
    run: (folder) => ({
      command: ["java", "-Dfile.encoding=UTF-8", "-cp", Path.join(folder, "lib/*"), program("Interop.java")]
    })
  },
  {
    name: "oss-v2 (Go)",
    version: goSdk,
    needs: ["go"],
    install: (folder) => {
      Fs.writeFileSync(Path.join(folder, "go.mod"), "module interop\n\ngo 1.18\n")
      Fs.copyFileSync(program("main.go"), Path.join(folder, "main.go"))
      return [
        ["go", "get", `github.com/aliyun/alibabacloud-oss-go-sdk-v2@${goSdk}`],
        ["go", "mod", "tidy"]
      ]
    },
    run: (folder) => {
      Fs.copyFileSync(program("main.go"), Path.join(folder, "main.go")) // a module is one folder, and this one may be newer
      return { command: ["go", "run", "-C", folder, "."] }
    }
  },
  {
    name: "curl",
    version: "as installed",
    needs: ["curl", "bash", "openssl"],
    install: () => [],
    run: () => ({ command: ["bash", program("curl.sh")] })
  }
]

/** The commands that this machine lacks. */
export const missing = ({ needs }: Client): ReadonlyArray<string> =>
  needs.filter((command) => spawnSync(command, [command === "go" ? "version" : "--version"]).error !== undefined)

/** Installs the client into a folder of the cache, unless it is there, and answers the folder. Throws what a command has said. */
export const install = (client: Client, cache: string): string => {
  const folder = Path.join(cache, `${client.name.replace(/[^\w.-]+/g, "_")}-${client.version}`)
  const done = Path.join(folder, ".installed")
  if (Fs.existsSync(done)) return folder
  Fs.rmSync(folder, { recursive: true, force: true })
  Fs.mkdirSync(folder, { recursive: true })
  for (const [command = "", ...args] of client.install(folder)) {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" })
    if (status !== 0) throw new Error(`${[command, ...args].join(" ")} ended with ${status}:\n${stdout}${stderr}`)
  }
  Fs.writeFileSync(done, "")
  return folder
}
