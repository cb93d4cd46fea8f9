/**
 * Which of the names there are somebody may have meant. Pure.
 */

/** The least number of letters to add, leave out, change or swap with their neighbour to make `b` of `a`. */
export const distance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1)) // all within their rows
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length]! // the last row is as long as `b`, and one
}

/** The name most like `given`, if any is like it: begins with it, or differs by no more than a third of its letters. */
export const nearest = (given: string, names: ReadonlyArray<string>): string | undefined => {
  let best: string | undefined
  let least = Math.max(1, Math.floor(given.length / 3)) + 0.5
  for (const name of names) {
    const far = given.length > 1 && name.startsWith(given) ? 0.5 : distance(given, name)
    if (far < least) {
      least = far
      best = name
    }
  }
  return best
}

/** `; did you mean "--region"?`, or nothing. */
export const hint = (given: string, names: ReadonlyArray<string>, prefix = ""): string => {
  const name = nearest(given, names)
  return name === undefined ? "" : `; did you mean ${prefix}${name}?`
}
