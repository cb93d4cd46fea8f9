import { Upload } from "effect-oss"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const lines = Stream.range(1, 100_000).pipe(
  Stream.map((line) => `line ${line}\n`),
  Stream.encodeText
)

export const report = Upload.multipart("reports/lines.txt", lines).pipe(Effect.map(({ size }) => size))
