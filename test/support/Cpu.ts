/** Time that this process has computed, in milliseconds: unlike a clock, it stands still while others have the machine. */
export const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1000
}
