/** PlatformTransport: the contract of its port, as far as each of @effect/platform's clients can keep it. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import * as PlatformTransport from "../../../adapters/platform/PlatformTransport.ts"
import { type Hard, transportContract } from "../../contracts/Transport.contract.ts"

/** What no HttpClient keeps: it parses URLs, keeps headers in lower case, and may miss an answer before the end. */
const common: ReadonlyArray<Hard> = ["raw target", "header order", "early answer"]

const streaming = PlatformTransport.layer({ streams: true })
const keepAlive = Layer.provide(NodeHttpClient.layerWithoutAgent, NodeHttpClient.makeAgentLayer({ keepAlive: true }))

transportContract("PlatformTransport over NodeHttpClient", Layer.provide(streaming, keepAlive), {
  without: [...common, "broken answers"]
})

transportContract("PlatformTransport over undici", Layer.provide(streaming, NodeHttpClient.layerUndici), {
  without: [...common, "no spare connections"]
})

transportContract(
  "PlatformTransport over FetchHttpClient",
  Layer.provide(PlatformTransport.layer(), FetchHttpClient.layer),
  { without: [...common, "streaming", "progress", "no spare connections"] }
)
