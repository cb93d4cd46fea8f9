/**
 * The worker that sends. An order comes as a request's body; that it is interrupted, Node says on a request of its own, because
 * workerd lets no request touch what belongs to another.
 */
import { type Order, send } from "./Remote.ts"

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { home, order } = (await request.json()) as { readonly home: string; readonly order: Order } // the test's
    const controller = new AbortController()
    const watch = fetch(`${home}/interrupted/${order.id}`).then(({ status }) => {
      if (status === 200) controller.abort()
    })
    watch.catch(() => {})
    return Response.json(await send(home, order, controller.signal))
  }
}
