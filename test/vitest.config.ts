import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["test/**/*.test.ts"],
    exclude: ["test/interop/**", "test/live/**", "**/node_modules/**"],
    testTimeout: 30_000
  }
})
