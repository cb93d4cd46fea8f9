/**
 * Every refusal of the emulator: OSS's status, Code, Message and EC. Pure data.
 *
 * Sources: "Error responses" and the articles by HTTP status, https://www.alibabacloud.com/help/en/oss/support/http-400-status-code;
 * the articles by EC, https://help.aliyun.com/en/oss/user-guide/0042-00000213 and its siblings. Where an article shows no
 * EC for a cause, the refusal carries none: clients are told to branch on Code.
 */

export interface Refusal {
  readonly _tag: "Refusal"
  readonly status: number
  readonly code: string
  readonly message: string
  readonly ec: string
  /** Further elements of the error document, in order. */
  readonly details: ReadonlyArray<readonly [name: string, value: string]>
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>
}

type Details = Refusal["details"]

const make =
  (status: number) =>
  (code: string, message: string, ec = "", details: Details = []): Refusal => ({
    _tag: "Refusal",
    status,
    code,
    message,
    ec,
    details
  })

export const badRequest = make(400)
export const forbidden = make(403)
export const notFound = make(404)
export const conflict = make(409)

/** A parameter or header with a bad value, named as OSS names it. */
export const invalidArgument = (message: string, name: string, value: string, ec = ""): Refusal =>
  badRequest("InvalidArgument", message, ec, [
    ["ArgumentName", name],
    ["ArgumentValue", value]
  ])

export const accessDenied = (message: string, ec: string): Refusal => forbidden("AccessDenied", message, ec)

export const anonymous = accessDenied("You have no right to access this object because of bucket acl.", "0003-00000001")

export const noSuchBucket = (bucket: string): Refusal =>
  notFound("NoSuchBucket", "The specified bucket does not exist.", "0015-00000101", [["BucketName", bucket]])

export const noSuchKey = (key: string): Refusal =>
  notFound("NoSuchKey", "The specified key does not exist.", "0026-00000001", [["Key", key]])

export const noSuchUpload = (uploadId: string, ec: string): Refusal =>
  notFound(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    ec,
    [["UploadId", uploadId]]
  )

export const invalidBucketName = (bucket: string): Refusal =>
  badRequest("InvalidBucketName", "The specified bucket is not valid.", "0015-00000001", [["BucketName", bucket]])

export const invalidObjectName = (key: string, ec = "0016-00000005"): Refusal =>
  badRequest("InvalidObjectName", "The specified object is not valid.", ec, [["ObjectName", key]])

export const objectNameNotUtf8 = (key: string): Refusal => invalidObjectName(key, "0016-00000004")

export const objectNameTooLong = (key: string): Refusal =>
  badRequest("InvalidObjectName", "The length of object name must be less than 1024.", "0016-00000003", [
    ["ObjectName", key]
  ])

export const fileAlreadyExists: Refusal = conflict(
  "FileAlreadyExists",
  "The object you specified already exists and can not be overwritten.",
  "0026-00000002"
)

export const missingContentLength: Refusal = make(411)(
  "MissingContentLength",
  "You must provide the Content-Length HTTP header.",
  "0017-00000101"
)

export const incompleteBody: Refusal = badRequest(
  "IncompleteBody",
  "The request body terminated unexpectedly.",
  "0017-00000505"
)

export const entityTooLarge = (limit: number, size: number, ec = ""): Refusal =>
  badRequest("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.", ec, [
    ["MaxSizeAllowed", String(limit)],
    ["ProposedSize", String(size)]
  ])

const digest = (ec: string) => badRequest("InvalidDigest", "The Content-MD5 you specified was invalid.", ec)

/** Content-MD5 is no base64 of 16 bytes. */
export const invalidDigestForm: Refusal = digest("0017-00000502")
/** Content-MD5 is another than that of the bytes that came. */
export const invalidDigest: Refusal = digest("0017-00000503")

export const invalidCrc64: Refusal = badRequest(
  "InvalidCRC64",
  "The CRC64 checksum you specified does not match what we calculated.",
  ""
)

const malformed = (ec: string) =>
  badRequest(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema.",
    ec
  )

export const malformedXml: Refusal = malformed("")
/** The list of parts is no list of parts. */
export const malformedParts: Refusal = malformed("0042-00000205")

export const bucketAlreadyExists = (bucket: string): Refusal =>
  conflict(
    "BucketAlreadyExists",
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
    "0015-00000104",
    [["BucketName", bucket]]
  )

export const bucketNotEmpty = (bucket: string): Refusal =>
  conflict("BucketNotEmpty", "The bucket has objects. Please delete them first.", "0015-00000301", [
    ["BucketName", bucket]
  ])

export const noSuchCors = (bucket: string): Refusal =>
  notFound("NoSuchCORSConfiguration", "The CORS Configuration does not exist.", "", [["BucketName", bucket]])

export const noSuchCallbackPolicy = (bucket: string): Refusal =>
  notFound("BucketCallbackPolicyNotExist", "The bucket callback policy does not exist.", "", [["BucketName", bucket]])

export const objectNotAppendable: Refusal = conflict("ObjectNotAppendable", "The object is not appendable")

export const positionNotEqualToLength: Refusal = conflict(
  "PositionNotEqualToLength",
  "Position is not equal to file length"
)

/** A header that an operation cannot do without. */
export const missingHeader = (name: string): Refusal =>
  badRequest("MissingArgument", "Missing Some Required Arguments.", "0016-00000502", [["ArgumentName", name]])

export const preconditionFailed = (condition: string): Refusal =>
  make(412)("PreconditionFailed", "At least one of the pre-conditions you specified did not hold.", "", [
    ["Condition", condition]
  ])

export const invalidRange = (size: number, requested: string): Refusal => ({
  ...make(416)("InvalidRange", "The requested range cannot be satisfied.", "", [
    ["ActualObjectSize", String(size)],
    ["RangeRequested", requested]
  ]),
  headers: { "Content-Range": `bytes */${size}` }
})

export const methodNotAllowed = (method: string, resourceType: string): Refusal =>
  make(405)("MethodNotAllowed", "The specified method is not allowed against this resource.", "", [
    ["Method", method],
    ["ResourceType", resourceType]
  ])

/** PostObject with a body that is no form at all. */
export const notAForm: Refusal = badRequest(
  "RequestIsNotMultiPartContent",
  "Bucket POST must be of the enclosure-type multipart/form-data.",
  ""
)

/** A form whose bytes do not add up; `detail` is ours, OSS says no more than the first sentence. */
export const malformedPost = (detail: string): Refusal =>
  badRequest(
    "MalformedPOSTRequest",
    "The body of your POST request is not well-formed multipart/form-data.",
    "0006-00000104",
    [["Detail", detail]]
  )

/** No file, or more than one. */
export const filesInPost: Refusal = badRequest(
  "IncorrectNumberOfFilesInPOSTRequest",
  "POST requires exactly one file upload per request.",
  "0006-00000107"
)

export const missingKey: Refusal = invalidArgument(
  "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
  "key",
  ""
)

export const fieldNameTooLong: Refusal = badRequest(
  "FieldItemTooLong",
  "The length of a form field's name exceeds the maximum allowed size.",
  "0006-00000110"
)

export const fieldTooLong = (name: string): Refusal =>
  badRequest("FieldItemTooLong", "Your POST request fields were too large.", "", [["FieldName", name]])

/** All fields together. */
export const fieldsTooLong: Refusal = badRequest(
  "MaxPOSTPreDataLengthExceededError",
  "Your POST request fields preceding the upload file were too large.",
  "0006-00000112"
)

/** Not a refusal of the upload: the object is stored, only its callback failed. */
export const callbackFailed = (message: string, ec: string): Refusal => make(203)("CallbackFailed", message, ec)

/** What OSS has and the emulator lacks; OSS itself answers this for headers an operation does not take. */
export const notImplemented = (header: string): Refusal =>
  badRequest("NotImplemented", "A header you provided implies functionality that is not implemented.", "", [
    ["Header", header]
  ])

export const internalError: Refusal = make(500)(
  "InternalError",
  "We encountered an internal error. Please try again.",
  ""
)

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === "object" && value !== null && "_tag" in value && value._tag === "Refusal"
