import { defineConfig, mergeConfig } from "vitest/config"
import base from "../vitest.config.ts"

export default mergeConfig(
  { resolve: base.resolve ?? {} },
  defineConfig({
    test: {
      root: import.meta.dirname,
      include: ["*.browser.ts"],
      testTimeout: 120_000,
      hookTimeout: 60_000,
      // One Chromium at a time is enough for two cores.
      fileParallelism: false
    }
  })
)
