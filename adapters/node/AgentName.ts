/**
 * The names by which an agent of node:http finds its connections again. Node makes one from the options four times a request:
 * each is a new text, which V8 must look up by its characters before it is a property's name. An upload of 1 KiB spends about 5 % of
 * its CPU time so, and four times as much on the names where an authority of one's own (`ca`) is in them.
 * Source: https://nodejs.org/docs/latest-v20.x/api/http.html#agentgetnameoptions
 */
import type * as Http from "node:http"

/** What tells one request's options from another's: all else is one agent's. */
interface Differing {
  readonly host?: unknown
  readonly port?: unknown
  /** For TLS. Follows from the Host header. */
  readonly servername?: unknown
}

/**
 * Has the agent keep the name that it made last, which is mostly the next one. For an agent of which all requests are ours:
 * theirs differ by host, port and server name alone.
 */
export const remember = <A extends Http.Agent>(agent: A): A => {
  const make = agent.getName.bind(agent)
  let last: Differing | undefined
  let name = ""
  agent.getName = (options) => {
    const { host, port, servername }: Differing = options ?? {}
    if (last === undefined || last.host !== host || last.port !== port || last.servername !== servername) {
      last = { host, port, servername }
      name = make(options)
    }
    return name
  }
  return agent
}
