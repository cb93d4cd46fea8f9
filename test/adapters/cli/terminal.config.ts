import { defineConfig, mergeConfig } from "vitest/config"
import base from "../../vitest.config.ts"

/** Apart from `npm test`, because it needs a python3. */
export default mergeConfig(
  { resolve: base.resolve ?? {} },
  defineConfig({ test: { root: import.meta.dirname, include: ["*.pty.ts"], testTimeout: 90_000 } })
)
