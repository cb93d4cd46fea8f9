/**
 * npm ali-oss: the scenarios of test/interop, one function each.
 *
 * It wants the bucket in the host: `*.localhost` is led to the loopback here, as a resolver of the machine would.
 */
const assert = require("node:assert")
const dns = require("node:dns")
const fs = require("node:fs")
const path = require("node:path")

const lookup = dns.lookup
dns.lookup = (hostname, options, callback) =>
  lookup(hostname.endsWith(".localhost") ? "127.0.0.1" : hostname, options, callback)

const { env } = process
const OSS = require(path.join(env.CLIENT, "node_modules/ali-oss"))
const http = require("node:http")

const port = new URL(env.ENDPOINT).port
const endpoint = `http://oss-${env.REGION}.localhost:${port}`
const base = { region: `oss-${env.REGION}`, endpoint, bucket: env.BUCKET, secure: false, authorizationV4: true }
const keys = { accessKeyId: env.KEY_ID, accessKeySecret: env.KEY_SECRET }
const client = new OSS({ ...base, ...keys })
const prefix = env.PREFIX

const callback = (url) => ({
  url,
  body: "object=${object}&size=${size}&user=${x:user}",
  contentType: "application/x-www-form-urlencoded",
  customValue: { user: "u 1&2=3" }
})

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64")
const callbackJson = (url) => ({ callbackUrl: url, callbackBody: callback(url).body })
const callbackHeaders = (url) => ({
  "x-oss-callback": b64(callbackJson(url)),
  "x-oss-callback-var": b64({ "x:user": "u 1&2=3" })
})

const checkAnswer = (answer, key, size) =>
  assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(answer.told)), {
    object: key,
    size: String(size),
    user: "u 1&2=3"
  })

const rejects = async (promise, code, status) => {
  const error = await promise.then(
    () => assert.fail(`no ${code}`),
    (cause) => cause
  )
  assert.deepStrictEqual([error.code, error.status], [code, status], error.stack)
  return error
}

/** A request by node:http: its status and text. The URL is sent as it stands. */
const send = (method, url, headers = {}, body = "") =>
  new Promise((resolve, reject) => {
    const [, host, target] = /^http:\/\/([^/]+)(.*)$/.exec(url)
    const request = http.request({ host: "127.0.0.1", port, method, path: target, headers: { host, ...headers } })
    request.on("error", reject)
    request.on("response", (response) => {
      const chunks = []
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("end", () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
    })
    request.end(body)
  })

const file = () => {
  const name = path.join(env.SCRATCH, "350000.bin")
  fs.writeFileSync(name, Buffer.alloc(350_000, "a quick brown fox"))
  return name
}

const signedForm = (key, more = {}) => {
  const date = new Date()
  const stamp = date.toISOString().replace(/[-:]|\.\d{3}/g, "")
  const credential = `${env.KEY_ID}/${stamp.slice(0, 8)}/${env.REGION}/oss/aliyun_v4_request`
  const policy = {
    expiration: new Date(date.getTime() + 600_000).toISOString(),
    conditions: [
      { bucket: env.BUCKET },
      { "x-oss-credential": credential },
      { "x-oss-date": stamp },
      { "x-oss-signature-version": "OSS4-HMAC-SHA256" }
    ]
  }
  return {
    key,
    policy: b64(policy),
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": credential,
    "x-oss-date": stamp,
    "x-oss-signature": client.signPostObjectPolicyV4(policy, date),
    ...more
  }
}

const postForm = async (fields) => {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append("file", new Blob(["hi oss"], { type: "text/plain" }), "a.txt")
  const answer = await fetch(`http://127.0.0.1:${port}/${env.BUCKET}/`, { method: "POST", body: form })
  return { status: answer.status, text: await answer.text() }
}

const scenarios = {
  put: async () => {
    const result = await client.put(`${prefix}put`, Buffer.from("hello"), { meta: { author: "me" } })
    assert.strictEqual(result.res.status, 200)
    assert.strictEqual((await client.get(`${prefix}put`)).content.toString(), "hello")
    await client.putStream(`${prefix}stream`, fs.createReadStream(file()))
    assert.strictEqual((await client.get(`${prefix}stream`)).content.length, 350_000)
  },
  callback: async () => {
    const result = await client.put(`${prefix}a b/ü`, Buffer.from("hello"), { callback: callback(env.CALLBACK_OK) })
    checkAnswer(result.data, `${prefix}a b/ü`, 5)
  },
  "callback failed": async () => {
    const put = client.put(`${prefix}failed`, Buffer.from("hello"), { callback: callback(env.CALLBACK_FAIL) })
    const error = await rejects(put, "CallbackFailed", 203)
    assert.match(error.message, /Error status : 500\./)
    assert.strictEqual((await client.get(`${prefix}failed`)).content.toString(), "hello")
  },
  multipart: async () => {
    const key = `${prefix}multipart`
    const { uploadId } = await client.initMultipartUpload(key)
    const parts = []
    for (const [index, size] of [102_400, 5].entries()) {
      const part = await client.uploadPart(key, uploadId, index + 1, file(), 0, size)
      parts.push({ number: index + 1, etag: part.etag })
    }
    assert.strictEqual((await client.listParts(key, uploadId)).parts.length, 2)
    const done = await client.completeMultipartUpload(key, uploadId, parts, { callback: callback(env.CALLBACK_OK) })
    checkAnswer(done.data, key, 102_405)
  },
  resume: async () => {
    const key = `${prefix}resume`
    let checkpoint
    const options = { partSize: 102_400, parallel: 1, progress: (_, found) => void (checkpoint = found) }
    await assert.rejects(client.multipartUpload(key, file(), options), /injected/)
    await client.multipartUpload(key, file(), { ...options, checkpoint })
    assert.deepStrictEqual((await client.get(key)).content, fs.readFileSync(file()))
  },
  presigned: async () => {
    const key = `${prefix}presigned`
    const headers = callbackHeaders(env.CALLBACK_OK)
    const url = await client.signatureUrlV4("PUT", 600, { headers }, key)
    const put = await send("PUT", url, headers, "hello")
    assert.strictEqual(put.status, 200, put.text)
    checkAnswer(JSON.parse(put.text), key, 5)
    assert.strictEqual((await send("GET", await client.signatureUrlV4("GET", 600, {}, key))).text, "hello")
  },
  form: async () => {
    const plain = await postForm(signedForm(`${prefix}form`))
    assert.strictEqual(plain.status, 204, plain.text)
    const more = { callback: b64(callbackJson(env.CALLBACK_OK)), "x:user": "u 1&2=3" }
    const told = await postForm(signedForm(`${prefix}form`, more))
    assert.strictEqual(told.status, 200, told.text)
    checkAnswer(JSON.parse(told.text), `${prefix}form`, 6)
  },
  reading: async () => {
    const key = `${prefix}reading`
    await client.put(key, Buffer.from("0123456789"), { mime: "text/x-test" })
    const range = await client.get(key, { headers: { Range: "bytes=2-4" } })
    assert.deepStrictEqual([range.res.status, range.content.toString()], [206, "234"])
    const head = await client.head(key)
    assert.strictEqual(head.res.headers["content-type"], "text/x-test")
    assert.strictEqual((await client.getObjectMeta(key)).res.headers["content-length"], "10")
    await rejects(client.get(`${prefix}absent`), "NoSuchKey", 404)
    await rejects(client.head(`${prefix}absent`), "NoSuchKey", 404)
  },
  listing: async () => {
    for (const name of ["l/1", "l/2", "l/sub/3"]) await client.put(prefix + name, Buffer.from("x"))
    const query = { prefix: `${prefix}l/`, delimiter: "/" }
    for (const list of [client.list.bind(client), client.listV2.bind(client)]) {
      const first = await list({ ...query, "max-keys": 1 })
      assert.deepStrictEqual([first.objects.map(({ name }) => name), first.isTruncated], [[`${prefix}l/1`], true])
      const { objects, prefixes } = await list(query)
      assert.deepStrictEqual([objects.length, prefixes], [2, [`${prefix}l/sub/`]])
    }
    const { buckets } = await client.listBuckets()
    assert.deepStrictEqual(
      buckets.map(({ name }) => name),
      [env.BUCKET]
    )
  },
  removing: async () => {
    const key = `${prefix}removed`
    const { uploadId } = await client.initMultipartUpload(key)
    const { uploads } = await client.listUploads({ prefix: key })
    assert.deepStrictEqual(
      uploads.map((upload) => upload.uploadId),
      [uploadId]
    )
    await client.abortMultipartUpload(key, uploadId)
    await rejects(client.listParts(key, uploadId), "NoSuchUpload", 404)
    await client.put(key, Buffer.from("x"))
    assert.strictEqual((await client.delete(key)).res.status, 204)
    await client.put(key, Buffer.from("x"))
    assert.strictEqual((await client.deleteMulti([key, `${prefix}absent`])).deleted.length, 2)
  },
  "odd keys": async () => {
    // It sends by way of `new URL`, which folds dot segments after they were signed: OSS itself must refuse them.
    const folded = (key) => /\/\.\.?\//.test(key)
    await rejects(client.put(`${prefix}a/../b`, Buffer.from("x")), "SignatureDoesNotMatch", 403)
    for (const odd of JSON.parse(env.ODD_KEYS).filter((key) => !folded(key))) {
      const key = prefix + odd
      try {
        await client.put(key, Buffer.from(odd))
        assert.strictEqual((await client.get(key)).content.toString(), odd)
        const { objects } = await client.listV2({ prefix: key })
        assert.deepStrictEqual(
          objects.map(({ name }) => name),
          [key]
        )
        const signed = await send("GET", await client.signatureUrlV4("GET", 600, {}, key))
        assert.strictEqual(signed.text, odd)
        await client.deleteMulti([key])
        await rejects(client.head(key), "NoSuchKey", 404)
      } catch (error) {
        throw new Error(`${odd}: ${error.message}`, { cause: error })
      }
    }
    return "keys with dot segments are folded by the client, and so refused"
  },
  sts: async () => {
    const sts = { accessKeyId: env.STS_ID, accessKeySecret: env.STS_SECRET }
    const temporary = new OSS({ ...base, ...sts, stsToken: env.STS_TOKEN })
    await temporary.put(`${prefix}sts`, Buffer.from("x"))
    const url = await temporary.signatureUrlV4("GET", 600, {}, `${prefix}sts`)
    assert.strictEqual((await send("GET", url)).text, "x")
    const stranger = new OSS({ ...base, ...sts, stsToken: "another" })
    await rejects(stranger.get(`${prefix}sts`), "InvalidSecurityToken", 403)
  },
  "wrong secret": async () => {
    const wrong = new OSS({ ...base, ...keys, accessKeySecret: "wrong" })
    await rejects(wrong.put(`${prefix}wrong`, Buffer.alloc(2_000_000)), "SignatureDoesNotMatch", 403)
  },
  tampered: async () => {
    const key = `${prefix}tampered`
    const url = await client.signatureUrlV4("PUT", 600, { headers: callbackHeaders(env.CALLBACK_OK) }, key)
    const put = await send("PUT", url, callbackHeaders(env.CALLBACK_FAIL), Buffer.alloc(2_000_000))
    assert.deepStrictEqual([put.status, /<Code>(.*?)</.exec(put.text)?.[1]], [403, "SignatureDoesNotMatch"])
    await rejects(client.head(key), "NoSuchKey", 404)
  },
  "version 1": async () => {
    const old = new OSS({ ...base, ...keys, authorizationV4: false })
    const key = `${prefix}v1 ü`
    checkAnswer((await old.put(key, Buffer.from("hello"), { callback: callback(env.CALLBACK_OK) })).data, key, 5)
    assert.strictEqual((await send("GET", old.signatureUrl(key))).text, "hello")
    const url = old.signatureUrl(key, { method: "PUT", callback: callback(env.CALLBACK_OK) })
    checkAnswer(JSON.parse((await send("PUT", url, {}, "hello")).text), key, 5)
  }
}

const run = async () => {
  const only = (env.ONLY ?? "").split(",").filter((name) => name !== "")
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (only.length > 0 && !only.includes(name)) continue
    try {
      console.log(`${name}\tok\t${(await scenario()) ?? ""}`)
    } catch (error) {
      console.error(error)
      console.log(`${name}\tfailed\t${String(error.message).replace(/\s+/g, " ").slice(0, 300)}`)
    }
  }
}

void run()
