/** What effect-oss does with Node: names only. */
export * as NodeCrypto from "./NodeCrypto.ts"
export * as NodeTransport from "./NodeTransport.ts"
