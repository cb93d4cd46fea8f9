/**
 * A server that swallows uploads: it reads every body to its end and answers what OSS (and S3) would, checking nothing. In a
 * process of its own, so that its time is not the client's. Its port goes to stdout.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"

/** CRC-64 of the object that every upload makes: clients that check it must find it right. */
const crc64 = process.env["CRC64"] ?? ""

const xml = (name: string, content: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><${name}><Bucket>b</Bucket><Key>k</Key>${content}</${name}>`

const answer = (request: IncomingMessage, response: ServerResponse): void => {
  const url = request.url ?? ""
  const etag = '"5B3C1A2E053D763E1B002CC607C5A0FE"'
  if (request.method === "GET") {
    // minio looks for an earlier upload to go on with.
    response.end(xml("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>"))
  } else if (request.method === "POST" && url.includes("uploads")) {
    response.end(xml("InitiateMultipartUploadResult", "<UploadId>0004B9894A22E5B1888A1E29F8236E2D</UploadId>"))
  } else if (request.method === "POST") {
    response.setHeader("x-oss-hash-crc64ecma", crc64)
    response.setHeader("x-oss-request-id", "5B3C1A2E053D763E1B002CC6")
    response.setHeader("etag", etag)
    response.end(xml("CompleteMultipartUploadResult", `<Location>l</Location><ETag>${etag}</ETag>`))
  } else {
    response.setHeader("etag", etag)
    response.setHeader("x-oss-request-id", "5B3C1A2E053D763E1B002CC6")
    if (!url.includes("uploadId")) response.setHeader("x-oss-hash-crc64ecma", crc64)
    response.end()
  }
}

const server = createServer((request, response) => {
  request.on("data", () => {})
  request.on("end", () => answer(request, response))
})
server.keepAliveTimeout = 60_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  if (typeof address === "object" && address !== null) process.stdout.write(`${address.port}\n`)
})
