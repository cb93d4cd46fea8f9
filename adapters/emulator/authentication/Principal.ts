/**
 * Who sends a request, once its signature is checked. Plain data.
 */
export type Principal =
  | { readonly _tag: "Anonymous" }
  | {
      readonly _tag: "Owner"
      readonly accessKeyId: string
      readonly version: "V1" | "V4"
      /** Where the signature stood. */
      readonly via: "header" | "query" | "form"
    }

export const anonymous: Principal = { _tag: "Anonymous" }
