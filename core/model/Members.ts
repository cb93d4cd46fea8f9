/**
 * Records whose names come from outside. Pure, but for the record given.
 */

/** Sets a member, whatever its name: by assignment, `__proto__` would set the prototype and not be a member. */
export const put = (record: Record<string, string>, name: string, value: string): void => {
  if (name !== "__proto__") record[name] = value
  // Defining costs more than signing does, so only where it must be.
  else Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true })
}
