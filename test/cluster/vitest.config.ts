import { defineConfig, mergeConfig } from "vitest/config"
import base from "../vitest.config.ts"

export default mergeConfig(
  { resolve: base.resolve ?? {} },
  defineConfig({
    test: {
      root: import.meta.dirname,
      include: ["**/*.test.ts"],
      exclude: ["**/node_modules/**"],
      testTimeout: 120_000,
      hookTimeout: 60_000,
      // Each starts processes of its own, and databases.
      fileParallelism: false
    }
  })
)
