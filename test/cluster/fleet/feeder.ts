/**
 * Feeds a file of requests to the fleet from a process of its own, which is no runner. It may be killed and run again.
 */
import * as Effect from "effect/Effect"
import * as Engine from "./Engine.ts"
import { feed } from "./Feeding.ts"
import * as Setting from "./Setting.ts"

const setting = Setting.own()
await Effect.runPromise(Effect.provide(feed(setting), Engine.layer(setting.database, 0)))
process.exit(0)
