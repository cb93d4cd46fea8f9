/** The same five jobs with ali-oss. */

/** What is used of the client, because @types/ali-oss does not know version 4 of the signature. */
export interface AliOss {
  put(key: string, content: Uint8Array, options?: object): Promise<{ data?: unknown }>
  multipartUpload(key: string, path: string, options?: object): Promise<{ data?: unknown }>
  signatureUrlV4(method: string, seconds: number, request: object, key: string): Promise<string>
  signPostObjectPolicyV4(policy: object, date: Date): string
}

export const put = (client: AliOss) => client.put("put.txt", Buffer.from("hello"), { mime: "text/plain" })

export const multipart = async (client: AliOss, path: string) => {
  const result = await client.multipartUpload("multipart.mp4", path, {
    partSize: 1024 * 1024,
    parallel: 4,
    callback: {
      url: "https://api.example.com/oss/video-uploaded",
      body: "bucket=${bucket}&object=${object}&size=${size}&etag=${etag}&userId=${x:user_id}",
      customValue: { user_id: "u_42" }
    }
  })
  return (result.data as { videoId: string }).videoId // unchecked
}

/** The application keeps the checkpoint, and brings it back: `saved`. */
export const resume = (client: AliOss, path: string, save: (checkpoint: object) => Promise<void>, saved?: object) =>
  client.multipartUpload("resumed.mp4", path, {
    partSize: 1024 * 1024,
    parallel: 1,
    checkpoint: saved,
    progress: (_share: number, checkpoint?: object) => (checkpoint === undefined ? Promise.resolve() : save(checkpoint))
  })

export const presign = (client: AliOss) =>
  client.signatureUrlV4("PUT", 600, { headers: { "content-type": "text/plain" } }, "presigned.txt")

export const form = (client: AliOss, accessKeyId: string, region: string, bucket: string) => {
  const date = new Date()
  const stamp = date.toISOString().replace(/[-:]|\.\d{3}/g, "")
  const credential = `${accessKeyId}/${stamp.slice(0, 8)}/${region}/oss/aliyun_v4_request`
  const policy = {
    expiration: new Date(date.getTime() + 600_000).toISOString(),
    conditions: [
      { bucket },
      ["eq", "$key", "form.txt"],
      ["content-length-range", 0, 1024],
      { "x-oss-credential": credential },
      { "x-oss-date": stamp },
      { "x-oss-signature-version": "OSS4-HMAC-SHA256" }
    ]
  }
  return {
    key: "form.txt",
    policy: Buffer.from(JSON.stringify(policy)).toString("base64"),
    "x-oss-credential": credential,
    "x-oss-date": stamp,
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-signature": client.signPostObjectPolicyV4(policy, date)
  }
}
