/**
 * What the statements cost that a fleet lives on: `tsx test/cluster/statements.ts`. Prints a table of transactions per second
 * on this machine's Postgres, by pgbench with 8 connections, beside the machine's own load.
 *
 * The statements are those that @effect/cluster 0.60 and adapters/cluster send; the tables are made by them.
 */
import * as ShardingConfig from "@effect/cluster/ShardingConfig"
import * as SqlMessageStorage from "@effect/cluster/SqlMessageStorage"
import * as SqlRunnerStorage from "@effect/cluster/SqlRunnerStorage"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import * as SqlBudget from "../../adapters/cluster/budget/SqlBudget.ts"
import * as SqlJobs from "../../adapters/cluster/jobs/SqlJobs.ts"
import * as Databases from "./Databases.ts"
import * as Postgres from "./Postgres.ts"

const seconds = Number(process.argv[2] ?? 5)
const fleet = 1000
const shards = 3 * fleet
const payload = "x".repeat(600)
const large = "9".repeat(18)

/** By name; pgbench's variables are `:name`, and each script is one transaction for each of its statements. */
const scripts: Readonly<Record<string, string>> = {
  "store a message, its reply, and that it is done (4 statements)": `\\set id random(1, ${large})
\\set shard random(1, ${shards})
INSERT INTO cluster_messages (id, message_id, shard_id, entity_type, entity_id, kind, tag, payload, request_id) VALUES (:id, :id, 'default:' || :shard, 'Workflow/effect-oss/UploadPage', :id, 0, 'run', '${payload}', :id);
BEGIN;
UPDATE cluster_messages SET processed = TRUE, last_reply_id = :id WHERE request_id = :id;
INSERT INTO cluster_replies (id, kind, request_id, payload) VALUES (:id, 0, :id, '${payload}');
COMMIT;`,
  "note an object in the job's book, and its receipt (2 statements)": `\\set id random(1, ${large})
INSERT INTO effect_oss_objects VALUES ('big', :id, 1, 'Waiting', 0, 0, NULL) ON CONFLICT (job, object_key) DO NOTHING;
INSERT INTO effect_oss_objects AS held VALUES ('big', :id, 1, 'Stored', 1, 0, '${payload}') ON CONFLICT (job, object_key) DO UPDATE SET status = excluded.status, size = excluded.size, detail = excluded.detail WHERE held.attempt < excluded.attempt OR (held.attempt = excluded.attempt AND (held.status <> 'Stored' OR (excluded.status = 'Stored' AND held.callback_failed >= excluded.callback_failed)));`,
  "count a job of 100,000 objects": `SELECT COUNT(*), SUM(CASE WHEN status = 'Stored' THEN 1 ELSE 0 END), SUM(size) FROM effect_oss_objects WHERE job = 'counted';`,
  "look for messages of 3 shards": `\\set shard random(1, ${shards - 3})
UPDATE cluster_messages m SET last_read = NOW() FROM (SELECT m.* FROM cluster_messages m WHERE m.shard_id IN ('default:' || :shard, 'default:' || (:shard + 1), 'default:' || (:shard + 2)) AND NOT EXISTS (SELECT 1 FROM cluster_replies WHERE request_id = m.request_id AND (kind = 0 OR acked = FALSE)) AND m.processed = FALSE AND (m.last_read IS NULL OR m.last_read < NOW() - INTERVAL '10 minutes') FOR UPDATE) AS ids WHERE m.id = ids.id RETURNING ids.*;`,
  "look for the replies to 8 requests": `SELECT id, kind, request_id, payload, sequence FROM cluster_replies WHERE request_id IN (1,2,3,4,5,6,7,8) AND (kind = 0 OR (kind IS NULL AND acked = FALSE)) ORDER BY rowid ASC;`,
  [`read the list of ${fleet} runners`]: `SELECT runner, healthy FROM cluster_runners WHERE last_heartbeat > NOW() - INTERVAL '35 seconds';`,
  [`look over ${shards} advisory locks`]: `SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted = true AND pid = 1 ORDER BY objid;`,
  [`speak to one bucket's budget, ${fleet} runners`]: `\\set runner random(1, ${fleet})
BEGIN;
UPDATE effect_oss_budget_buckets SET line = line WHERE bucket = 'media';
SELECT runner, slots, wants, since, expires FROM effect_oss_budget_runners WHERE bucket = 'media';
INSERT INTO effect_oss_budget_runners VALUES ('media', :runner, 1, 2, 0, 4e12) ON CONFLICT (bucket, runner) DO UPDATE SET slots = excluded.slots, wants = excluded.wants, since = excluded.since, expires = excluded.expires;
COMMIT;`,
  "book a stretch of one bucket's bandwidth": `UPDATE effect_oss_budget_buckets SET line = GREATEST(line, EXTRACT(EPOCH FROM clock_timestamp()) * 1000) + 0.001 WHERE bucket = 'media' RETURNING line;`
}

const prepare = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* Effect.scoped(SqlBudget.make({ concurrency: fleet }))
  yield* SqlJobs.make()
  yield* sql`INSERT INTO effect_oss_objects SELECT 'counted', i, 1, 'Stored', 1, 0, ${payload} FROM generate_series(1, 100000) i`
  yield* sql`INSERT INTO effect_oss_budget_buckets VALUES ('media', 0)`
  yield* sql`INSERT INTO effect_oss_budget_runners SELECT 'media', i, 1, 2, 0, 4000000000000 FROM generate_series(1, ${fleet}::int) i`
  yield* sql`INSERT INTO cluster_runners (address, runner, last_heartbeat, healthy)
    SELECT '10.0.0.1:' || i, ${"r".repeat(120)} || i, NOW() + INTERVAL '1 day', TRUE FROM generate_series(1, ${fleet}::int) i`
  yield* sql`INSERT INTO cluster_messages (id, message_id, shard_id, entity_type, entity_id, kind, tag, payload, request_id, processed)
    SELECT i, i, 'default:' || (i % ${shards}::int), 'w', i, 0, 'run', ${payload}, i, i % 100 > 0 FROM generate_series(1, 200000) i`
  yield* sql`INSERT INTO cluster_replies (id, kind, request_id, payload) SELECT i, 0, i, ${payload} FROM generate_series(1, 200000) i`
  yield* sql`ANALYZE`
})

const measure = Effect.gen(function* () {
  const { address, bin, port } = yield* Postgres.make({ max_locks_per_transaction: "200" })
  const client = Databases.client(address)
  const tables = Layer.merge(SqlMessageStorage.layer, SqlRunnerStorage.layer).pipe(
    Layer.provide(ShardingConfig.layer()),
    Layer.provideMerge(client)
  )
  // Locks live as long as the connection that took them: the client stays open while pgbench runs.
  yield* Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* prepare
    const { reserve } = sql
    const locks = yield* reserve
    yield* locks.executeRaw(`SELECT count(pg_advisory_lock(i)) FROM generate_series(1, ${shards}) i`, [])
    const file = join(tmpdir(), `statements-${process.pid}.sql`)
    for (const [name, script] of Object.entries(scripts)) {
      Fs.writeFileSync(file, script)
      const told = execFileSync(
        join(bin, "pgbench"),
        [
          "-h",
          "127.0.0.1",
          "-p",
          String(port),
          "-U",
          "postgres",
          "-n",
          "-c",
          "8",
          "-j",
          "2",
          "-T",
          String(seconds),
          "-f",
          file,
          "postgres"
        ],
        { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
      )
      const rate = Math.round(Number(/tps = ([\d.]+)/.exec(told)?.[1]))
      process.stdout.write(`${name.padEnd(66)} ${String(rate).padStart(7)} a second\n`)
    }
    Fs.rmSync(file)
    for (const [what, table] of [
      ["a message", "cluster_messages"],
      ["a reply", "cluster_replies"],
      ["an object in the book", "effect_oss_objects"]
    ] as const) {
      const [size] = yield* sql<{ readonly bytes: string }>`
        SELECT pg_total_relation_size(${table}::text) / COUNT(*) AS bytes FROM ${sql(table)}`
      process.stdout.write(`${`${what}, bytes on disk`.padEnd(66)} ${String(size?.bytes).padStart(7)}\n`)
    }
  }).pipe(Effect.scoped, Effect.provide(tables))
  process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}\n`)
})

await Effect.runPromise(Effect.scoped(measure))
