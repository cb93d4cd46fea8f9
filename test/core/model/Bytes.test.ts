import { assert, describe, it } from "@effect/vitest"
import * as Bytes from "../../../core/model/Bytes.ts"

describe("Bytes", () => {
  it("counts in units of 1,024", () => {
    assert.deepStrictEqual([Bytes.KiB(100), Bytes.MiB(8), Bytes.GiB(5)], [102_400, 8_388_608, 5_368_709_120])
  })

  it("says a size in the unit that fits", () => {
    const said = [0, 1, 1023, 1024, 1536, 1024 ** 2 - 1, 1024 ** 2, Bytes.MiB(8), Bytes.GiB(1) - 1, Bytes.GiB(50_000)]
    assert.deepStrictEqual(said.map(Bytes.format), [
      "0 B",
      "1 B",
      "1023 B",
      "1.0 KiB",
      "1.5 KiB",
      "1.0 MiB",
      "1.0 MiB",
      "8.0 MiB",
      "1.0 GiB",
      "48.8 TiB"
    ])
  })
})
