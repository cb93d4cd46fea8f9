/** Callbacks that wait, in memory. */
import { layerMemory } from "../../../core/ports/Outbox.ts"
import { contract } from "../../contracts/Outbox.contract.ts"

contract("Outbox.layerMemory", () => layerMemory)
