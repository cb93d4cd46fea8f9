/**
 * The engine of a process by its database: one runner on SQLite, many on Postgres. This is the one Layer that changes when a
 * service grows.
 */
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as SingleRunner from "@effect/cluster/SingleRunner"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Databases from "../Databases.ts"

const sharding = {
  // The times of shard locks stay as they are (10 and 35 seconds). Postgres gives a killed runner's shards free when its
  // connection breaks; with less time a busy machine looks like a dead one.
  refreshAssignmentsInterval: "1 second",
  entityMessagePollInterval: "1 second",
  runnerHealthCheckInterval: "5 seconds",
  entityTerminationTimeout: "2 seconds"
} as const

/** Engine and database. `port` 0: a process that only submits and asks. */
export const layer = (address: string, port: number) => {
  const cluster = address.startsWith("sqlite:")
    ? SingleRunner.layer({ runnerStorage: "sql", shardingConfig: { entityMessagePollInterval: "1 second" } })
    : port === 0
      ? NodeClusterSocket.layer({
          clientOnly: true,
          storage: "sql",
          shardingConfig: { ...sharding, runnerAddress: Option.none() }
        })
      : NodeClusterSocket.layer({
          storage: "sql",
          shardingConfig: { ...sharding, runnerAddress: Option.some(RunnerAddress.make("127.0.0.1", port)) }
        })
  return ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(cluster), Layer.provideMerge(Databases.client(address)))
}
