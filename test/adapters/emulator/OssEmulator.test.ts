/**
 * The emulator's contract, on a socket and in process.
 */
import * as Layer from "effect/Layer"
import * as OssEmulator from "../../../adapters/emulator/OssEmulator.ts"
import * as NodeTransport from "../../../adapters/node/NodeTransport.ts"
import * as Emulator from "../../contracts/Emulator.contract.ts"

Emulator.suite(
  "OssEmulator.layer, on a socket",
  Layer.merge(OssEmulator.layer(Emulator.options), NodeTransport.layer())
)
Emulator.suite("OssEmulator.layerInProcess", OssEmulator.layerInProcess(Emulator.options))
