/**
 * The fetch adapter: names only.
 *
 * @module effect-oss/fetch
 */
export * as BlobSource from "./BlobSource.ts"
export * as FetchCallback from "./FetchCallback.ts"
export * as FetchOss from "./FetchOss.ts"
export * as FetchTransport from "./FetchTransport.ts"
export * as NobleCrypto from "./NobleCrypto.ts"
export * as XhrTransport from "./XhrTransport.ts"
