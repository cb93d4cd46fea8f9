/**
 * The callback side of the emulator: names only.
 *
 * `CallbackSender` is what an operation asks; `Facts` what it tells; `ImageInfo` what it may have to read; `CallbackKeys`
 * what the server serves at `CallbackKeys.publicKeyPath`. The rest is for tests.
 */
export * as CallbackKeys from "./CallbackKeys.ts"
export * as CallbackOrder from "./CallbackOrder.ts"
export * as CallbackRefusal from "./CallbackRefusal.ts"
export * as CallbackRequest from "./CallbackRequest.ts"
export * as CallbackSender from "./CallbackSender.ts"
export * as Deliveries from "./Deliveries.ts"
export * as Facts from "./Facts.ts"
export * as ImageInfo from "./ImageInfo.ts"
export * as Outcome from "./Outcome.ts"
export * as Resolution from "./Resolution.ts"
