/**
 * `npm run bench:plot`: draws `results/*.svg`, which the README shows, from the JSON of the newest runs beside them.
 *
 * Each chart names the results it is made of; what is not in them is not drawn. Drawn by vega-lite, one of the peers'
 * neighbours in benchmarks/package.json.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as Bytes from "../core/model/Bytes.ts"
import type * as Harness from "./Harness.ts"
import * as Peers from "./Peers.ts"
import type * as Upload from "./upload.bench.ts"

interface Results {
  readonly date: string
  readonly machine: { readonly cpu: string; readonly cores: number }
  readonly node: string
  readonly outcomes: ReadonlyArray<Harness.Outcome>
  readonly uploads?: ReadonlyArray<Upload.Outcome>
}

/** One bar or point of a chart. */
interface Mark {
  readonly bout: string
  readonly contestant: string
  readonly value: number
}

type Spec = Readonly<Record<string, unknown>>

interface Vega {
  readonly parse: (spec: unknown) => unknown
  readonly View: new (runtime: unknown, options: object) => { readonly toSVG: () => Promise<string> }
}
interface VegaLite {
  readonly compile: (spec: Spec) => { readonly spec: unknown }
}

const folder = new URL("results/", import.meta.url)

const config = {
  background: "white",
  font: "system-ui, sans-serif",
  view: { stroke: null },
  range: { category: ["#0a66c2", "#9aa5b1", "#c9ced6", "#b8860b", "#d9b38c", "#7d5ba6"] }
}

/** Bars side by side, a panel for each bout: each panel has a scale of its own, from zero. */
const bars = (title: string, unit: string, marks: ReadonlyArray<Mark>): Spec => {
  const bouts = [...new Set(marks.map(({ bout }) => bout))]
  return {
    title: { text: title, anchor: "start" },
    config,
    concat: bouts.map((bout) => ({
      title: { text: bout, fontSize: 11, fontWeight: "normal", anchor: "start" },
      width: 190,
      height: { step: 18 },
      data: { values: marks.filter((mark) => mark.bout === bout) },
      encoding: {
        y: { field: "contestant", type: "nominal", sort: null, title: null, axis: { labelLimit: 220 } },
        x: { field: "value", type: "quantitative", title: unit, axis: { tickCount: 4, format: "~s" } }
      },
      layer: [
        {
          mark: "bar",
          encoding: {
            color: {
              condition: { test: "indexof(datum.contestant, 'effect-oss') === 0", value: "#0a66c2" },
              value: "#9aa5b1"
            }
          }
        },
        { mark: { type: "text", align: "left", dx: 3 }, encoding: { text: { field: "value", format: ".3~s" } } }
      ]
    })),
    columns: 2
  }
}

/** Two lines over parts or bytes, on logarithmic scales: a straight line at 45° is linear cost. */
const growth = (title: string, unit: string, marks: ReadonlyArray<Mark & { readonly at: number }>): Spec => ({
  title: { text: title, anchor: "start" },
  config,
  width: 420,
  height: 220,
  data: { values: marks },
  mark: { type: "line", point: true },
  encoding: {
    x: { field: "at", type: "quantitative", scale: { type: "log" }, title: unit },
    y: { field: "value", type: "quantitative", scale: { type: "log" }, title: null },
    color: { field: "contestant", type: "nominal", title: null, legend: { labelLimit: 300 } }
  }
})

const read = (): ReadonlyArray<Results> =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Results) // written by `npm run bench -- --json`
    .sort((one, other) => (one.date < other.date ? -1 : 1))

/** Of each bout its newest run. */
const newest = <A extends { readonly bout: string }>(outcomes: ReadonlyArray<A>): ReadonlyMap<string, A> =>
  new Map(outcomes.map((outcome) => [outcome.bout, outcome]))

const charts = (runs: ReadonlyArray<Results>): Readonly<Record<string, Spec>> => {
  const outcomes = newest(runs.flatMap((run) => run.outcomes))
  const uploads = newest(runs.flatMap((run) => run.uploads ?? []))
  const fromNanos = (bouts: ReadonlyArray<string>, value: (result: Harness.Outcome["results"][number]) => number) =>
    bouts.flatMap((bout) =>
      (outcomes.get(bout)?.results ?? []).map((result) => ({
        bout,
        contestant: result.contestant,
        value: value(result)
      }))
    )
  const fromUploads = (value: (row: Upload.Row) => number) =>
    [...uploads.values()].flatMap(({ bout, rows }) =>
      rows.length < 2 ? [] : rows.map((row) => ({ bout, contestant: row.contestant, value: value(row) }))
    )
  const sizes = [1, 10, 100, 1024, 10 * 1024].flatMap((mib) => {
    const size = Bytes.format(Bytes.MiB(mib))
    const row = uploads.get(`${size} in parts of 8 MiB`)?.rows[0]
    if (row === undefined) return []
    return [
      { bout: size, at: mib, contestant: "milliseconds", value: (mib / row.mibPerSecond) * 1000 },
      { bout: size, at: mib, contestant: "MiB of memory above the start", value: row.aboveMiB }
    ]
  })
  return {
    crc64: bars(
      "CRC-64, MiB/s",
      "MiB/s",
      fromNanos(
        ["crc64 of 4 KiB", "crc64 of 64 KiB", "crc64 of 1 MiB", "crc64 of 64 MiB"],
        (it) => it.mibPerSecond ?? 0
      )
    ),
    signature: bars(
      "Signatures a second",
      "a second",
      fromNanos(
        ["sign UploadPart by headers", "presign PutObject", "make and sign a form's policy"],
        (it) => 1e9 / it.medianNs
      )
    ),
    "upload-speed": bars(
      "Uploads to a sink on the same machine, MiB/s",
      "MiB/s",
      fromUploads((row) => row.mibPerSecond).filter(({ bout }) => bout.includes("parts"))
    ),
    "upload-cpu": bars(
      "Uploads, seconds of CPU",
      "s",
      fromUploads((row) => row.cpuSeconds)
    ),
    "upload-growth": growth("One upload in parts of 8 MiB, five at once", "MiB", sizes)
  }
}

const main = async (): Promise<void> => {
  Peers.install()
  const vega = await Peers.load<Vega>("vega")
  const { compile } = await Peers.load<VegaLite>("vega-lite")
  for (const [name, spec] of Object.entries(charts(read()))) {
    const view = new vega.View(vega.parse(compile(spec).spec), { renderer: "none" })
    writeFileSync(new URL(`${name}.svg`, folder), `${await view.toSVG()}\n`)
    process.stdout.write(`${name}.svg\n`)
  }
}

await main()
