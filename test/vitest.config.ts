import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import SlowestFirst from "./support/SlowestFirst.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

export default defineConfig({
  // Examples and guides import the package by its name, as users do; here that means the sources.
  resolve: {
    alias: [
      { find: /^effect-oss$/, replacement: `${root}core/index.ts` },
      { find: /^effect-oss\/([a-z]+)$/, replacement: `${root}adapters/$1/index.ts` }
    ]
  },
  test: {
    root,
    include: ["test/**/*.test.ts"],
    exclude: ["test/cluster/**", "test/interop/**", "test/live/**", "**/node_modules/**"],
    setupFiles: ["test/support/turn.ts"],
    sequence: { sequencer: SlowestFirst },
    // The slowest law takes seven seconds alone, and several times as long on a machine with other work.
    testTimeout: 120_000,
    // Loading Effect for each file anew took a third of the time. A test undoes what it does to its process.
    isolate: false,
    // Vitest leaves one core to the terminal: of two, that is half of the machine.
    maxWorkers: 2,
    minWorkers: 2
  }
})
