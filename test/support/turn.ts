/**
 * A turn of the event loop after each test: between tests that never wait there is none, and a worker that has computed
 * for a minute without one takes the answers of the runner that are there for late ("Timeout calling onTaskUpdate").
 */
import { afterEach } from "vitest"

afterEach(() => new Promise<void>((resolve) => setImmediate(resolve)))
