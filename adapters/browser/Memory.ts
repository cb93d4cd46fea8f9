/**
 * What is remembered of uploads in parts, so that they go on after a reload: in the storage that the page gives.
 *
 * Kept are the grant, without its URLs where they can be renewed, and each part's number and CRC-64: no bytes. The ticket in it
 * is a secret of this browser's user: clear the storage when they sign out.
 */
import type { PartsGrant } from "../../core/model/UploadGrant.ts"

/** `localStorage` fits; so does anything on IndexedDB with these three functions, which may answer promises. */
export interface Store {
  readonly getItem: (key: string) => string | null | Promise<string | null>
  readonly setItem: (key: string, value: string) => void | Promise<void>
  readonly removeItem: (key: string) => void | Promise<void>
}

export interface Saved {
  readonly grant: PartsGrant
  /** CRC-64 by part number, in decimal. */
  readonly parts: ReadonlyArray<readonly [number: number, crc64: string]>
}

/** What tells one file from another: name, size, type and time of modification. */
export const fingerprint = (file: Blob): string => {
  const { lastModified = 0, name = "" } = file as Partial<File> // a File, perhaps
  return JSON.stringify([name, file.size, file.type, lastModified])
}

const version = 1

const isSaved = (value: unknown): value is Saved & { readonly version: number } =>
  typeof value === "object" &&
  value !== null &&
  "version" in value &&
  value.version === version &&
  "grant" in value &&
  "parts" in value &&
  Array.isArray(value.parts)

export interface Memory {
  readonly load: () => Promise<Saved | undefined>
  readonly save: (saved: Saved) => Promise<void>
  readonly forget: () => Promise<void>
}

/** Never rejects: a storage that is full or forbidden makes an upload that cannot be resumed, not one that fails. */
export const make = (store: Store | undefined, id: string, size: number): Memory => {
  const key = `effect-oss:${id}`
  const quietly = async <A>(act: () => A | Promise<A>): Promise<A | undefined> => {
    try {
      return await act()
    } catch {
      return undefined
    }
  }
  if (store === undefined) return { load: async () => undefined, save: async () => {}, forget: async () => {} }
  return {
    load: () =>
      quietly(async () => {
        const text = await store.getItem(key)
        const value: unknown = text === null ? undefined : JSON.parse(text)
        return isSaved(value) && value.grant.size === size ? { grant: value.grant, parts: value.parts } : undefined
      }),
    save: (saved) => quietly(() => store.setItem(key, JSON.stringify({ version, ...saved }))),
    forget: () => quietly(() => store.removeItem(key))
  }
}
