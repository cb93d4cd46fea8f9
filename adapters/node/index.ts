/**
 * The Node adapter: names only.
 *
 * @module effect-oss/node
 */
export * as FileSource from "./FileSource.ts"
export * as NodeCallback from "./NodeCallback.ts"
export * as NodeCrypto from "./NodeCrypto.ts"
export * as NodeOss from "./NodeOss.ts"
export * as NodeTransport from "./NodeTransport.ts"
