/** Of Express, which brings no types, what the example uses. */
declare module "express" {
  import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"

  type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

  interface Application extends RequestListener {
    post(path: string, ...handlers: ReadonlyArray<Handler>): void
    use(...handlers: ReadonlyArray<Handler>): void
  }

  interface Express {
    (): Application
    json(): Handler
  }

  const express: Express
  export default express
}
