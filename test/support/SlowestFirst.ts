/**
 * The order of the test files: the slow ones first, so that the processes that share them end together.
 *
 * Vitest goes by what it remembers of earlier runs. A clean clone has none, and there it goes by the size of the files, which
 * says little here: the slowest are among the shortest.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** Those that take more than five seconds on two cores, the slowest first. What is missing costs a little time, no more. */
const slow = [
  "core/wire/SignatureReference",
  "core/wire/PostPolicyLaws",
  "core/wire/SignatureLaws",
  "adapters/cli/examples",
  "adapters/cli/upload",
  "core/model/Checkpoint",
  "adapters/node/NodeTransport",
  "adapters/fs/FsCheckpointStoreCrash",
  "adapters/cli/doctor",
  "adapters/platform/PlatformTransport",
  "core/wire/PostBody",
  "adapters/cli/commands",
  "adapters/emulator/Durability",
  "core/programs/MultipartUploads",
  "core/programs/UploadInterruption",
  "adapters/node/NodeCallbackLoad",
  "adapters/emulator/LargeObject",
  "core/programs/model/Processes",
  "core/programs/model/Model",
  "adapters/cli/grants",
  "core/wire/Xml",
  "adapters/fs/RedeliveryCrash",
  "core/model/Crc64Paths",
  "core/wire/Uri",
  "adapters/emulator/Fuzz",
  "core/programs/PeerBugs",
  "core/programs/Upload"
].map((name) => `/test/${name}.test.ts`)

const rank = ({ moduleId }: TestSpecification): number => {
  const at = slow.findIndex((name) => moduleId.endsWith(name))
  return at < 0 ? slow.length : at
}

export default class SlowestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
