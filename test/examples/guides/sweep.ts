import { MultipartUploads } from "effect-oss"

/** Once a day. Parts of uploads that nobody goes on with are paid for until somebody aborts them. */
export const sweep = MultipartUploads.abortOlderThan("7 days", { prefix: "backups/" })
