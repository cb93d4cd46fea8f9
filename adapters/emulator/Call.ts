/**
 * One request, understood: what is asked, of what, by whom, when. Plain data, and the type of what answers it.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Location } from "./Addressing.ts"
import type { Principal } from "./authentication/Principal.ts"
import type * as Http from "./Http.ts"
import type { Refusal } from "./Refusal.ts"
import type * as Route from "./Route.ts"
import type { Settings } from "./Settings.ts"
import type * as State from "./State.ts"
import type { Storage } from "./Storage.ts"

export interface Call {
  readonly operation: Route.Operation
  readonly request: Http.Request
  readonly location: Location
  readonly query: ReadonlyMap<string, string>
  readonly principal: Principal
  /** The emulator's clock for this request, in milliseconds since 1970. */
  readonly now: number
  /** 24 hexadecimal digits. */
  readonly requestId: string
}

export interface BucketCall extends Call {
  readonly bucket: State.Bucket
}

export interface ObjectCall extends BucketCall {
  /** Checked. */
  readonly key: string
}

/** What answers a call. The scope closes when the answer is sent. */
export type Answer<R = never> = Effect.Effect<Http.Response, Refusal, Settings | Storage | Scope.Scope | R>
