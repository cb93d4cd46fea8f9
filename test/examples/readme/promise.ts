import { Source, Upload } from "effect-oss"
import type { NodeOss } from "effect-oss/node"
import * as ManagedRuntime from "effect/ManagedRuntime"

/** `bucket`: for example `MediaBucket` from above. */
export const makeNotes = (bucket: ReturnType<typeof NodeOss.layer>) => {
  const runtime = ManagedRuntime.make(bucket)
  return {
    save: (key: string, note: string) => runtime.runPromise(Upload.simple(key, Source.text(note))),
    close: () => runtime.dispose()
  }
}
