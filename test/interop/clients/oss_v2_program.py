"""PyPI alibabacloud-oss-v2: the scenarios of test/interop, one function each."""
import alibabacloud_oss_v2 as oss
import requests
from common import *

prefix, name = env["PREFIX"], env["BUCKET"]


def client_of(key_id, secret, token=None):
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(key_id, secret, token)
    config.region, config.endpoint = env["REGION"], env["ENDPOINT"]
    return oss.Client(config)


client = client_of(env["KEY_ID"], env["KEY_SECRET"])


def put_object(key, body, of=client, **more):
    return of.put_object(oss.PutObjectRequest(bucket=name, key=key, body=body, **more))


def get_object(key, of=client, **more):
    return of.get_object(oss.GetObjectRequest(bucket=name, key=key, **more)).body.read()


def refused(code, status, action):
    try:
        action()
    except oss.exceptions.OperationError as error:
        cause = error.unwrap()
        assert (cause.code, cause.status_code) == (code, status), cause
        return cause
    raise AssertionError(f"no {code}")


def callback_of(url):
    return {"callback": b64(callback(url)), "callback_var": b64(VAR)}


def put():
    result = put_object(prefix + "put", b"hello", metadata={"author": "me"})
    assert result.status_code == 200 and result.hash_crc64
    assert get_object(prefix + "put") == b"hello"
    put_object(prefix + "stream", iter([b"a" * 1000, b"b" * 1000]))
    assert get_object(prefix + "stream") == b"a" * 1000 + b"b" * 1000


def callback_ok():
    result = put_object(prefix + "a b/ü", b"hello", **callback_of(env["CALLBACK_OK"]))
    check_answer(result.callback_result, prefix + "a b/ü", 5)


def callback_failed():
    result = put_object(prefix + "failed", b"hello", **callback_of(env["CALLBACK_FAIL"]))
    assert result.status_code == 203, result.status_code
    assert get_object(prefix + "failed") == b"hello"


def multipart():
    key = prefix + "multipart"
    upload_id = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=name, key=key)).upload_id
    parts = []
    for number, content in enumerate((b"a" * 102400, b"b" * 5), 1):
        part = client.upload_part(oss.UploadPartRequest(
            bucket=name, key=key, upload_id=upload_id, part_number=number, body=content))
        parts.append(oss.UploadPart(part_number=number, etag=part.etag))
    listed = client.list_parts(oss.ListPartsRequest(bucket=name, key=key, upload_id=upload_id))
    assert [part.size for part in listed.parts] == [102400, 5]
    done = client.complete_multipart_upload(oss.CompleteMultipartUploadRequest(
        bucket=name, key=key, upload_id=upload_id,
        complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts), **callback_of(env["CALLBACK_OK"])))
    check_answer(done.callback_result, key, 102405)


def resume():
    key, path = prefix + "resume", file_of(350_000)
    uploader = client.uploader(part_size=100 * 1024, parallel_num=1, enable_checkpoint=True,
                               checkpoint_dir=env["SCRATCH"] + "/")
    again = lambda: uploader.upload_file(oss.PutObjectRequest(bucket=name, key=key), path)
    try:
        again()
        raise AssertionError("not refused")
    except oss.uploader.UploadError as error:
        assert "injected" in str(error), error
    assert again().status_code == 200
    with open(path, "rb") as file:
        assert get_object(key) == file.read()


def presign(request):
    signed = client.presign(request)
    return signed.url, signed.signed_headers


def presigned():
    key = prefix + "presigned"
    url, headers = presign(oss.PutObjectRequest(bucket=name, key=key, **callback_of(env["CALLBACK_OK"])))
    check_answer(requests.put(url, data=b"hello", headers=headers).text, key, 5)
    url, headers = presign(oss.GetObjectRequest(bucket=name, key=key))
    assert requests.get(url, headers=headers).content == b"hello"


def tampered():
    key = prefix + "tampered"
    url, headers = presign(oss.PutObjectRequest(bucket=name, key=key, **callback_of(env["CALLBACK_OK"])))
    forged = {**headers, **callback_headers(env["CALLBACK_FAIL"])}
    answer = requests.put(url, data=b"hello" * 300_000, headers=forged)
    assert answer.status_code == 403 and "SignatureDoesNotMatch" in answer.text, answer.text
    assert not client.is_object_exist(name, key)


def reading():
    key = prefix + "reading"
    put_object(key, b"0123456789", content_type="text/x-test")
    assert get_object(key, range_header="bytes=2-4") == b"234"
    head = client.head_object(oss.HeadObjectRequest(bucket=name, key=key))
    assert (head.content_length, head.content_type, head.object_type) == (10, "text/x-test", "Normal")
    assert client.get_object_meta(oss.GetObjectMetaRequest(bucket=name, key=key)).content_length == 10
    refused("NoSuchKey", 404, lambda: get_object(prefix + "absent"))
    refused("NoSuchKey", 404, lambda: client.head_object(oss.HeadObjectRequest(bucket=name, key=prefix + "absent")))


def listing():
    for item in ("l/1", "l/2", "l/sub/3"):
        put_object(prefix + item, b"x")
    for paginator, request in ((client.list_objects_paginator(), oss.ListObjectsRequest),
                               (client.list_objects_v2_paginator(), oss.ListObjectsV2Request)):
        pages = list(paginator.iter_page(request(bucket=name, prefix=prefix + "l/", delimiter="/", max_keys=1)))
        keys = [item.key for page in pages for item in page.contents or []]
        prefixes = [item.prefix for page in pages for item in page.common_prefixes or []]
        assert (keys, prefixes) == ([prefix + "l/1", prefix + "l/2"], [prefix + "l/sub/"]), (keys, prefixes)
    assert [item.name for item in client.list_buckets(oss.ListBucketsRequest()).buckets] == [name]


def removing():
    key = prefix + "removed"
    upload_id = client.initiate_multipart_upload(oss.InitiateMultipartUploadRequest(bucket=name, key=key)).upload_id
    uploads = client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=name, prefix=key)).uploads
    assert [upload.upload_id for upload in uploads] == [upload_id]
    abort = lambda: client.abort_multipart_upload(oss.AbortMultipartUploadRequest(bucket=name, key=key, upload_id=upload_id))
    assert abort().status_code == 204
    refused("NoSuchUpload", 404, abort)
    put_object(key, b"x")
    assert client.delete_object(oss.DeleteObjectRequest(bucket=name, key=key)).status_code == 204
    put_object(key, b"x")
    assert delete_several([key, prefix + "absent"]) == [key, prefix + "absent"]


def delete_several(keys):
    deleted = client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(
        bucket=name, encoding_type="url", objects=[oss.DeleteObject(key=key) for key in keys])).deleted_objects
    return [item.key for item in deleted]


def odd_keys():
    # Its transport folds dot segments after they were signed: OSS itself must refuse them.
    folded = [odd for odd in ODD_KEYS if "/../" in odd or "/./" in odd]
    for odd in folded:
        refused("SignatureDoesNotMatch", 403, lambda: put_object(prefix + odd, b"x"))
    for odd in (odd for odd in ODD_KEYS if odd not in folded):
        key = prefix + odd
        put_object(key, odd.encode())
        assert get_object(key) == odd.encode(), odd
        listed = client.list_objects_v2(oss.ListObjectsV2Request(bucket=name, prefix=key, encoding_type="url"))
        assert [item.key for item in listed.contents] == [key], odd
        url, headers = presign(oss.GetObjectRequest(bucket=name, key=key))
        assert requests.get(url, headers=headers).content == odd.encode(), odd
        assert delete_several([key]) == [key], odd
    return "keys with dot segments are folded by the client, and so refused"


def sts():
    temporary = client_of(env["STS_ID"], env["STS_SECRET"], env["STS_TOKEN"])
    put_object(prefix + "sts", b"x", of=temporary)
    url = temporary.presign(oss.GetObjectRequest(bucket=name, key=prefix + "sts")).url
    assert requests.get(url).content == b"x"
    stranger = client_of(env["STS_ID"], env["STS_SECRET"], "another")
    refused("InvalidSecurityToken", 403, lambda: get_object(prefix + "sts", of=stranger))


def wrong_secret():
    wrong = client_of(env["KEY_ID"], "wrong")
    error = refused("SignatureDoesNotMatch", 403, lambda: put_object(prefix + "wrong", b"x" * 2_000_000, of=wrong))
    assert error.ec == "0002-00000201", error


def version_1():
    config = oss.config.load_default()
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(env["KEY_ID"], env["KEY_SECRET"])
    config.region, config.endpoint, config.signature_version = env["REGION"], env["ENDPOINT"], "v1"
    old = oss.Client(config)
    put_object(prefix + "v1 ü", b"hello", of=old)
    url = old.presign(oss.GetObjectRequest(bucket=name, key=prefix + "v1 ü")).url
    assert requests.get(url).content == b"hello"


run({
    "put": put, "callback": callback_ok, "callback failed": callback_failed, "multipart": multipart, "resume": resume,
    "presigned": presigned, "form": lambda: post_forms(requests), "reading": reading, "listing": listing,
    "removing": removing, "odd keys": odd_keys, "sts": sts, "wrong secret": wrong_secret, "tampered": tampered,
    "version 1": version_1,
})
