/** Time that this process has computed, in milliseconds: unlike a clock, it stands still while others have the machine. */
export const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}

/** The fastest of up to `tries` runs in such milliseconds, until one is `enough`: the machine's other work only ever adds. */
export const fastest = (run: () => unknown, enough = 0, tries = 20): number => {
  let best = Infinity
  for (let count = 0; count < tries && best > enough; count++) {
    const start = cpuMillis()
    run()
    best = Math.min(best, cpuMillis() - start)
  }
  return best
}
