/**
 * What answers each operation, by the API's name. Names only.
 */
import type { Answer, BucketCall, Call, ObjectCall } from "../Call.ts"
import type * as Route from "../Route.ts"
import type * as Callbacks from "./Callbacks.ts"
import { completeMultipartUpload } from "./Complete.ts"
import { deleteObject } from "./DeleteObject.ts"
import { getObject, getObjectMeta } from "./GetObject.ts"
import { putObject } from "./PutObject.ts"
import { uploadPart } from "./UploadPart.ts"
import { abortMultipartUpload, initiateMultipartUpload, listParts } from "./Uploads.ts"

export type Requirements = Callbacks.Sender

type Answers<Name extends string, C> = Readonly<Partial<Record<Name, (call: C) => Answer<Requirements>>>>

export const service: Answers<Route.ServiceOperation, Call> = {}

export const bucket: Answers<Route.BucketOperation, BucketCall> = {}

export const object: Answers<Route.ObjectOperation, ObjectCall> = {
  PutObject: putObject,
  GetObject: getObject,
  HeadObject: getObject,
  GetObjectMeta: getObjectMeta,
  DeleteObject: deleteObject,
  InitiateMultipartUpload: initiateMultipartUpload,
  UploadPart: uploadPart,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts
}
