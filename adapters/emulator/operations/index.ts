/**
 * What answers each operation, by the API's name. Names only.
 */
import type { Answer, BucketCall, Call, ObjectCall } from "../Call.ts"
import type * as Faults from "../Faults.ts"
import type * as Route from "../Route.ts"
import type { Signer } from "../Signer.ts"
import { appendObject } from "./AppendObject.ts"
import { deleteBucketCallbackPolicy, getBucketCallbackPolicy, putBucketCallbackPolicy } from "./BucketCallbackPolicy.ts"
import { deleteBucketCors, getBucketCors, putBucketCors } from "./BucketCors.ts"
import * as Buckets from "./Buckets.ts"
import type * as Callbacks from "./Callbacks.ts"
import { completeMultipartUpload } from "./Complete.ts"
import { copyObject, uploadPartCopy } from "./CopyObject.ts"
import { deleteMultipleObjects } from "./DeleteMultipleObjects.ts"
import { deleteObject } from "./DeleteObject.ts"
import { getObject, getObjectMeta } from "./GetObject.ts"
import { listMultipartUploads } from "./ListMultipartUploads.ts"
import { listObjects, listObjectsV2 } from "./ListObjects.ts"
import { getObjectAcl, putObjectAcl } from "./ObjectAcl.ts"
import { postObject } from "./PostObject.ts"
import { putObject } from "./PutObject.ts"
import { uploadPart } from "./UploadPart.ts"
import { abortMultipartUpload, initiateMultipartUpload, listParts } from "./Uploads.ts"

export type Requirements = Callbacks.Sender | Faults.Current | Signer

type Answers<Name extends string, C> = Readonly<Record<Name, (call: C) => Answer<Requirements>>>

export const service: Answers<Route.ServiceOperation, Call> = {
  ListBuckets: Buckets.listBuckets,
  PutBucket: Buckets.putBucket
}

export const bucket: Answers<Route.BucketOperation, BucketCall> = {
  DeleteBucket: Buckets.deleteBucket,
  HeadBucket: Buckets.headBucket,
  GetBucketInfo: Buckets.getBucketInfo,
  GetBucketLocation: Buckets.getBucketLocation,
  GetBucketAcl: Buckets.getBucketAcl,
  PutBucketAcl: Buckets.putBucketAcl,
  GetBucketCors: getBucketCors,
  PutBucketCors: putBucketCors,
  DeleteBucketCors: deleteBucketCors,
  GetBucketCallbackPolicy: getBucketCallbackPolicy,
  PutBucketCallbackPolicy: putBucketCallbackPolicy,
  DeleteBucketCallbackPolicy: deleteBucketCallbackPolicy,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListMultipartUploads: listMultipartUploads,
  DeleteMultipleObjects: deleteMultipleObjects,
  PostObject: postObject
}

export const object: Answers<Route.ObjectOperation, ObjectCall> = {
  PutObject: putObject,
  CopyObject: copyObject,
  AppendObject: appendObject,
  GetObject: getObject,
  HeadObject: getObject,
  GetObjectMeta: getObjectMeta,
  DeleteObject: deleteObject,
  GetObjectAcl: getObjectAcl,
  PutObjectAcl: putObjectAcl,
  InitiateMultipartUpload: initiateMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts
}
