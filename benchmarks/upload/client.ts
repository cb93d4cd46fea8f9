/**
 * One contestant uploading one file, in a process of its own: `ORDER` says which and what. Prints its time, its CPU time and its
 * peak memory as one line of JSON.
 */
import { contestants, type Order } from "./contestants.ts"

const order = JSON.parse(process.env["ORDER"] ?? "") as Order // written by the benchmark

/** What one run took. Times in seconds, memory in bytes. */
export interface Measured {
  readonly seconds: number
  readonly cpu: number
  /** Peak of the process. */
  readonly rss: number
  /** Before the upload, with everything loaded. */
  readonly rssBefore: number
}

const contestant = contestants[order.contestant]
if (contestant === undefined) throw new Error(`no contestant ${order.contestant}`)
const upload = await contestant(order)
if (order.warmUps > 0) await upload(order.warmUps)
const rssBefore = process.memoryUsage.rss()
const [began, cpuBefore] = [process.hrtime.bigint(), process.cpuUsage()]
await upload(order.times)
const { system, user } = process.cpuUsage(cpuBefore)
const measured: Measured = {
  seconds: Number(process.hrtime.bigint() - began) / 1e9,
  cpu: (user + system) / 1e6,
  rss: process.resourceUsage().maxRSS * 1024,
  rssBefore
}
process.stdout.write(`${JSON.stringify(measured)}\n`, () => process.exit(0))
