// github.com/aliyun/alibabacloud-oss-go-sdk-v2: the scenarios of test/interop, one function each.
package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
)

const user = "u 1&2=3"

var (
	ctx    = context.Background()
	bucket = os.Getenv("BUCKET")
	prefix = os.Getenv("PREFIX")
	client = clientOf(os.Getenv("KEY_ID"), os.Getenv("KEY_SECRET"), "", oss.SignatureVersionV4)
)

func clientOf(id, secret, token string, version oss.SignatureVersionType) *oss.Client {
	return oss.NewClient(oss.LoadDefaultConfig().
		WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, secret, token)).
		WithRegion(os.Getenv("REGION")).WithEndpoint(os.Getenv("ENDPOINT")).WithSignatureVersion(version))
}

// check ends the scenario; run reports it.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must[A any](value A, err error) A {
	check(err)
	return value
}

func same[A comparable](actual, expected A) {
	if actual != expected {
		panic(fmt.Errorf("expected %v, got %v", expected, actual))
	}
}

func refused(err error, code string, status int) *oss.ServiceError {
	var cause *oss.ServiceError
	if !errors.As(err, &cause) {
		panic(fmt.Errorf("no %s, but %v", code, err))
	}
	same(cause.Code, code)
	same(cause.StatusCode, status)
	return cause
}

func b64(value any) string {
	return base64.StdEncoding.EncodeToString(must(json.Marshal(value)))
}

func callback(address string) *string {
	return oss.Ptr(b64(map[string]string{"callbackUrl": address, "callbackBody": "object=${object}&size=${size}&user=${x:user}"}))
}

var variables = oss.Ptr(b64(map[string]string{"x:user": user}))

func checkAnswer(told any, key string, size int) {
	values := must(url.ParseQuery(fmt.Sprint(told)))
	same(values.Encode(), url.Values{"object": {key}, "size": {fmt.Sprint(size)}, "user": {user}}.Encode())
}

func putTo(c *oss.Client, key string, body io.Reader) error {
	_, err := c.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: body})
	return err
}

func getFrom(c *oss.Client, key string) (string, error) {
	result, err := c.GetObject(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer result.Body.Close()
	content, err := io.ReadAll(result.Body)
	return string(content), err
}

func put() string {
	check(putTo(client, prefix+"put", strings.NewReader("hello")))
	same(must(getFrom(client, prefix+"put")), "hello")
	// A reader that tells no length goes in chunks.
	check(putTo(client, prefix+"stream", io.MultiReader(strings.NewReader("a"), strings.NewReader("b"))))
	same(must(getFrom(client, prefix+"stream")), "ab")
	return ""
}

func callbackOk() string {
	key := prefix + "a b/ü"
	result := must(client.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: strings.NewReader("hello"),
		Callback: callback(os.Getenv("CALLBACK_OK")), CallbackVar: variables}))
	checkAnswer(result.CallbackResult["told"], key, 5)
	return ""
}

func callbackFailed() string {
	key := prefix + "failed"
	_, err := client.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: strings.NewReader("hello"),
		Callback: callback(os.Getenv("CALLBACK_FAIL"))})
	same(refused(err, "CallbackFailed", 203).Message, "Error status : 500.")
	same(must(getFrom(client, key)), "hello")
	return ""
}

func initiate(key string) *string {
	return must(client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: &key})).UploadId
}

func inParts() string {
	key := prefix + "multipart"
	id := initiate(key)
	var parts []oss.UploadPart
	for index, size := range []int{102400, 5} {
		number := int32(index + 1)
		part := must(client.UploadPart(ctx, &oss.UploadPartRequest{Bucket: &bucket, Key: &key, UploadId: id,
			PartNumber: number, Body: bytes.NewReader(make([]byte, size))}))
		parts = append(parts, oss.UploadPart{PartNumber: number, ETag: part.ETag})
	}
	same(len(must(client.ListParts(ctx, &oss.ListPartsRequest{Bucket: &bucket, Key: &key, UploadId: id})).Parts), 2)
	done := must(client.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{Bucket: &bucket, Key: &key, UploadId: id,
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: parts},
		Callback:                callback(os.Getenv("CALLBACK_OK")), CallbackVar: variables}))
	checkAnswer(done.CallbackResult["told"], key, 102405)
	return ""
}

func resume() string {
	key, path := prefix+"resume", filepath.Join(os.Getenv("SCRATCH"), "350000.bin")
	content := bytes.Repeat([]byte("a quick brown fox "), 350000/18)
	check(os.WriteFile(path, content, 0o600))
	again := func() error {
		uploader := client.NewUploader(func(options *oss.UploaderOptions) {
			options.PartSize, options.ParallelNum = 100*1024, 1
			options.EnableCheckpoint, options.CheckpointDir = true, os.Getenv("SCRATCH")+"/"
		})
		_, err := uploader.UploadFile(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key}, path)
		return err
	}
	refused(again(), "AccessDenied", 403)
	check(again())
	same(must(getFrom(client, key)), string(content))
	return ""
}

func send(method, address string, headers map[string]string, body []byte) (int, string) {
	request := must(http.NewRequest(method, address, bytes.NewReader(body)))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response := must(http.DefaultClient.Do(request))
	defer response.Body.Close()
	return response.StatusCode, string(must(io.ReadAll(response.Body)))
}

func presignPut(key string) *oss.PresignResult {
	return must(client.Presign(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key,
		Callback: callback(os.Getenv("CALLBACK_OK")), CallbackVar: variables}))
}

func presigned() string {
	key := prefix + "presigned"
	signed := presignPut(key)
	status, text := send("PUT", signed.URL, signed.SignedHeaders, []byte("hello"))
	same(status, 200)
	var answer map[string]string
	check(json.Unmarshal([]byte(text), &answer))
	checkAnswer(answer["told"], key, 5)
	got := must(client.Presign(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key}))
	_, text = send("GET", got.URL, got.SignedHeaders, nil)
	same(text, "hello")
	return ""
}

func tampered() string {
	key := prefix + "tampered"
	signed := presignPut(key)
	headers := map[string]string{"x-oss-callback": *callback(os.Getenv("CALLBACK_FAIL")), "x-oss-callback-var": *variables}
	status, text := send("PUT", signed.URL, headers, make([]byte, 2_000_000))
	same(status, 403)
	same(strings.Contains(text, "<Code>SignatureDoesNotMatch</Code>"), true)
	same(must(client.IsObjectExist(ctx, bucket, key)), false)
	return ""
}

// The SDK has no forms: built as in Alibaba's samples.
func postForm(key string, more map[string]string) (int, string) {
	now := time.Now().UTC()
	day, stamp := now.Format("20060102"), now.Format("20060102T150405Z")
	credential := os.Getenv("KEY_ID") + "/" + day + "/" + os.Getenv("REGION") + "/oss/aliyun_v4_request"
	policy := b64(map[string]any{"expiration": now.Add(time.Hour).Format("2006-01-02T15:04:05.000Z"), "conditions": []any{
		map[string]string{"bucket": bucket}, map[string]string{"x-oss-signature-version": "OSS4-HMAC-SHA256"},
		map[string]string{"x-oss-credential": credential}, map[string]string{"x-oss-date": stamp},
		[]any{"content-length-range", 1, 1024}}})
	signature := []byte("aliyun_v4" + os.Getenv("KEY_SECRET"))
	for _, piece := range []string{day, os.Getenv("REGION"), "oss", "aliyun_v4_request", policy} {
		mac := hmac.New(sha256.New, signature)
		mac.Write([]byte(piece))
		signature = mac.Sum(nil)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	fields := map[string]string{"key": key, "policy": policy, "x-oss-signature-version": "OSS4-HMAC-SHA256",
		"x-oss-credential": credential, "x-oss-date": stamp, "x-oss-signature": hex.EncodeToString(signature)}
	for _, some := range []map[string]string{fields, more} {
		for name, value := range some {
			check(form.WriteField(name, value))
		}
	}
	must(must(form.CreateFormFile("file", "a.txt")).Write([]byte("hi oss")))
	check(form.Close())
	headers := map[string]string{"Content-Type": form.FormDataContentType()}
	return send("POST", os.Getenv("ENDPOINT")+"/"+bucket+"/", headers, body.Bytes())
}

func form() string {
	key := prefix + "form"
	status, text := postForm(key, nil)
	same(status, 204)
	status, text = postForm(key, map[string]string{"callback": *callback(os.Getenv("CALLBACK_OK")), "x:user": user})
	same(status, 200)
	var answer map[string]string
	check(json.Unmarshal([]byte(text), &answer))
	checkAnswer(answer["told"], key, 6)
	return ""
}

func reading() string {
	key, absent := prefix+"reading", prefix+"absent"
	must(client.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: strings.NewReader("0123456789"),
		ContentType: oss.Ptr("text/x-test")}))
	ranged := must(client.GetObject(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key, Range: oss.Ptr("bytes=2-4")}))
	defer ranged.Body.Close()
	same(string(must(io.ReadAll(ranged.Body))), "234")
	head := must(client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: &key}))
	same(*head.ContentType, "text/x-test")
	same(must(client.GetObjectMeta(ctx, &oss.GetObjectMetaRequest{Bucket: &bucket, Key: &key})).ContentLength, int64(10))
	_, err := getFrom(client, absent)
	refused(err, "NoSuchKey", 404)
	_, err = client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: &absent})
	refused(err, "NoSuchKey", 404)
	return ""
}

func listing() string {
	for _, name := range []string{"l/1", "l/2", "l/sub/3"} {
		check(putTo(client, prefix+name, strings.NewReader("x")))
	}
	within, delimiter := oss.Ptr(prefix+"l/"), oss.Ptr("/")
	var one, two []string
	pages := client.NewListObjectsPaginator(&oss.ListObjectsRequest{Bucket: &bucket, Prefix: within, Delimiter: delimiter, MaxKeys: 1})
	for pages.HasNext() {
		page := must(pages.NextPage(ctx))
		for _, item := range page.Contents {
			one = append(one, *item.Key)
		}
		for _, item := range page.CommonPrefixes {
			one = append(one, *item.Prefix)
		}
	}
	pages2 := client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: &bucket, Prefix: within, Delimiter: delimiter, MaxKeys: 1})
	for pages2.HasNext() {
		page := must(pages2.NextPage(ctx))
		for _, item := range page.Contents {
			two = append(two, *item.Key)
		}
		for _, item := range page.CommonPrefixes {
			two = append(two, *item.Prefix)
		}
	}
	expected := fmt.Sprint([]string{prefix + "l/1", prefix + "l/2", prefix + "l/sub/"})
	same(fmt.Sprint(one), expected)
	same(fmt.Sprint(two), expected)
	same(*must(client.ListBuckets(ctx, &oss.ListBucketsRequest{})).Buckets[0].Name, bucket)
	return ""
}

func removing() string {
	key, absent := prefix+"removed", prefix+"absent"
	id := initiate(key)
	uploads := must(client.ListMultipartUploads(ctx, &oss.ListMultipartUploadsRequest{Bucket: &bucket, Prefix: &key})).Uploads
	same(*uploads[0].UploadId, *id)
	abort := &oss.AbortMultipartUploadRequest{Bucket: &bucket, Key: &key, UploadId: id}
	must(client.AbortMultipartUpload(ctx, abort))
	_, err := client.AbortMultipartUpload(ctx, abort)
	refused(err, "NoSuchUpload", 404)
	check(putTo(client, key, strings.NewReader("x")))
	same(must(client.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: &bucket, Key: &key})).StatusCode, 204)
	check(putTo(client, key, strings.NewReader("x")))
	same(len(deleteSeveral(key, absent)), 2)
	return ""
}

func deleteSeveral(keys ...string) []oss.DeletedInfo {
	var objects []oss.DeleteObject
	for index := range keys {
		objects = append(objects, oss.DeleteObject{Key: &keys[index]})
	}
	return must(client.DeleteMultipleObjects(ctx, &oss.DeleteMultipleObjectsRequest{Bucket: &bucket, Objects: objects})).DeletedObjects
}

func oddKeys() string {
	var odd []string
	check(json.Unmarshal([]byte(os.Getenv("ODD_KEYS")), &odd))
	for _, name := range odd {
		key := prefix + name
		check(putTo(client, key, strings.NewReader(name)))
		same(must(getFrom(client, key)), name)
		listed := must(client.ListObjectsV2(ctx, &oss.ListObjectsV2Request{Bucket: &bucket, Prefix: &key})).Contents
		same(*listed[0].Key, key)
		signed := must(client.Presign(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key}))
		_, text := send("GET", signed.URL, signed.SignedHeaders, nil)
		same(text, name)
		same(*deleteSeveral(key)[0].Key, key)
	}
	return ""
}

func sts() string {
	key := prefix + "sts"
	temporary := clientOf(os.Getenv("STS_ID"), os.Getenv("STS_SECRET"), os.Getenv("STS_TOKEN"), oss.SignatureVersionV4)
	check(putTo(temporary, key, strings.NewReader("x")))
	signed := must(temporary.Presign(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key}))
	_, text := send("GET", signed.URL, signed.SignedHeaders, nil)
	same(text, "x")
	_, err := getFrom(clientOf(os.Getenv("STS_ID"), os.Getenv("STS_SECRET"), "another", oss.SignatureVersionV4), key)
	refused(err, "InvalidSecurityToken", 403)
	return ""
}

func wrongSecret() string {
	wrong := clientOf(os.Getenv("KEY_ID"), "wrong", "", oss.SignatureVersionV4)
	cause := refused(putTo(wrong, prefix+"wrong", bytes.NewReader(make([]byte, 2_000_000))), "SignatureDoesNotMatch", 403)
	same(strings.Contains(string(cause.Snapshot), "<CanonicalRequest>"), true)
	return ""
}

func version1() string {
	old := clientOf(os.Getenv("KEY_ID"), os.Getenv("KEY_SECRET"), "", oss.SignatureVersionV1)
	key := prefix + "v1 ü"
	result := must(old.PutObject(ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: strings.NewReader("hello"),
		Callback: callback(os.Getenv("CALLBACK_OK")), CallbackVar: variables}))
	checkAnswer(result.CallbackResult["told"], key, 5)
	signed := must(old.Presign(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key}))
	_, text := send("GET", signed.URL, signed.SignedHeaders, nil)
	same(text, "hello")
	return ""
}

func run(name string, scenario func() string) {
	only := os.Getenv("ONLY")
	if only != "" && !strings.Contains(","+only+",", ","+name+",") {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintln(os.Stderr, name, cause)
			fmt.Printf("%s\tfailed\t%.300s\n", name, strings.Join(strings.Fields(fmt.Sprint(cause)), " "))
		}
	}()
	fmt.Printf("%s\tok\t%s\n", name, scenario())
}

func main() {
	run("put", put)
	run("callback", callbackOk)
	run("callback failed", callbackFailed)
	run("multipart", inParts)
	run("resume", resume)
	run("presigned", presigned)
	run("form", form)
	run("reading", reading)
	run("listing", listing)
	run("removing", removing)
	run("odd keys", oddKeys)
	run("sts", sts)
	run("wrong secret", wrongSecret)
	run("tampered", tampered)
	run("version 1", version1)
}
