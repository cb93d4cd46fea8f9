"""PyPI oss2: the scenarios of test/interop, one function each."""
import os

import oss2
import requests
from common import *

bucket = oss2.Bucket(oss2.AuthV4(env["KEY_ID"], env["KEY_SECRET"]), env["ENDPOINT"], env["BUCKET"], region=env["REGION"])
prefix = env["PREFIX"]


def raises(kind, action):
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def put():
    result = bucket.put_object(prefix + "put", b"hello", headers={"x-oss-meta-Author": "me"})
    assert result.status == 200 and str(result.crc) == result.headers["x-oss-hash-crc64ecma"]
    assert bucket.get_object(prefix + "put").read() == b"hello"
    stream = bucket.put_object(prefix + "stream", iter([b"a" * 1000, b"b" * 1000]))  # in chunks
    assert stream.status == 200
    assert bucket.get_object(prefix + "stream").read() == b"a" * 1000 + b"b" * 1000


def callback_ok():
    result = bucket.put_object(prefix + "a b/ü", b"hello", headers=callback_headers(env["CALLBACK_OK"]))
    assert result.status == 200, result.status
    check_answer(result.resp.read(), prefix + "a b/ü", 5)


def callback_failed():
    result = bucket.put_object(prefix + "failed", b"hello", headers=callback_headers(env["CALLBACK_FAIL"]))
    check_failed(result.status, result.resp.read())
    assert bucket.get_object(prefix + "failed").read() == b"hello"


def multipart():
    key = prefix + "multipart"
    upload_id = bucket.init_multipart_upload(key).upload_id
    parts = []
    for number, content in enumerate((b"a" * 102400, b"b" * 5), 1):
        result = bucket.upload_part(key, upload_id, number, content)
        parts.append(oss2.models.PartInfo(number, result.etag, size=len(content), part_crc=result.crc))
    listed = [part.part_number for part in oss2.PartIterator(bucket, key, upload_id)]
    assert listed == [1, 2], listed
    result = bucket.complete_multipart_upload(key, upload_id, parts, headers=callback_headers(env["CALLBACK_OK"]))
    check_answer(result.resp.read(), key, 102405)
    assert bucket.head_object(key).headers["x-oss-object-type"] == "Multipart"


def resume():
    key, path = prefix + "resume", file_of(350_000)
    again = lambda: oss2.resumable_upload(bucket, key, path, store=oss2.ResumableStore(root=env["SCRATCH"]),
                                          multipart_threshold=100 * 1024, part_size=100 * 1024, num_threads=1)
    raises(oss2.exceptions.ServerError, again)
    assert again().status == 200
    with open(path, "rb") as file:
        assert bucket.get_object(key).read() == file.read()


def presigned():
    key, headers = prefix + "presigned", callback_headers(env["CALLBACK_OK"])
    url = bucket.sign_url("PUT", key, 600, headers=headers, slash_safe=True)
    result = bucket.put_object_with_url(url, b"hello", headers=headers)
    check_answer(result.resp.read(), key, 5)
    assert requests.get(bucket.sign_url("GET", key, 600, slash_safe=True)).content == b"hello"


def tampered():
    key, headers = prefix + "tampered", callback_headers(env["CALLBACK_OK"])
    url = bucket.sign_url("PUT", key, 600, headers=headers, slash_safe=True)
    forged = callback_headers(env["CALLBACK_FAIL"])
    error = raises(oss2.exceptions.SignatureDoesNotMatch, lambda: bucket.put_object_with_url(url, b"hello" * 300_000, headers=forged))
    assert error.status == 403
    assert not bucket.object_exists(key)


def reading():
    key = prefix + "reading"
    bucket.put_object(key, b"0123456789", headers={"Content-Type": "text/x-test"})
    assert bucket.get_object(key, byte_range=(2, 4)).read() == b"234"
    head = bucket.head_object(key)
    assert (head.content_length, head.content_type, head.object_type) == (10, "text/x-test", "Normal")
    meta = bucket.get_object_meta(key)
    assert meta.content_length == 10
    assert not bucket.object_exists(prefix + "absent")
    raises(oss2.exceptions.NoSuchKey, lambda: bucket.get_object(prefix + "absent"))


def listing():
    for name in ("l/1", "l/2", "l/sub/3"):
        bucket.put_object(prefix + name, b"x")
    one = [(item.key, item.is_prefix()) for item in oss2.ObjectIterator(bucket, prefix=prefix + "l/", delimiter="/", max_keys=1)]
    two = [(item.key, item.is_prefix()) for item in oss2.ObjectIteratorV2(bucket, prefix=prefix + "l/", delimiter="/", max_keys=1)]
    assert one == two == [(prefix + "l/1", False), (prefix + "l/2", False), (prefix + "l/sub/", True)], (one, two)
    service = oss2.Service(oss2.AuthV4(env["KEY_ID"], env["KEY_SECRET"]), env["ENDPOINT"], region=env["REGION"])
    assert env["BUCKET"] in [item.name for item in oss2.BucketIterator(service)]


def removing():
    key = prefix + "removed"
    upload_id = bucket.init_multipart_upload(key).upload_id
    assert upload_id in [upload.upload_id for upload in oss2.MultipartUploadIterator(bucket, prefix=key)]
    assert bucket.abort_multipart_upload(key, upload_id).status == 204
    raises(oss2.exceptions.NoSuchUpload, lambda: bucket.abort_multipart_upload(key, upload_id))
    bucket.put_object(key, b"x")
    assert bucket.delete_object(key).status == 204
    bucket.put_object(key, b"x")
    assert bucket.batch_delete_objects([key, prefix + "absent"]).deleted_keys


def odd_keys():
    for odd in ODD_KEYS:
        key = prefix + odd
        bucket.put_object(key, odd.encode())
        assert bucket.get_object(key).read() == odd.encode(), odd
        assert key in [item.key for item in oss2.ObjectIterator(bucket, prefix=key)], odd
        url = bucket.sign_url("GET", key, 600)
        assert requests.get(url).content == odd.encode(), odd
        assert bucket.batch_delete_objects([key]).deleted_keys == [key], odd


def sts():
    auth = oss2.StsAuth(env["STS_ID"], env["STS_SECRET"], env["STS_TOKEN"], auth_version=oss2.AUTH_VERSION_4)
    temporary = oss2.Bucket(auth, env["ENDPOINT"], env["BUCKET"], region=env["REGION"])
    assert temporary.put_object(prefix + "sts", b"x").status == 200
    assert requests.get(temporary.sign_url("GET", prefix + "sts", 600)).content == b"x"
    stranger = oss2.StsAuth(env["STS_ID"], env["STS_SECRET"], "another", auth_version=oss2.AUTH_VERSION_4)
    other = oss2.Bucket(stranger, env["ENDPOINT"], env["BUCKET"], region=env["REGION"])
    assert raises(oss2.exceptions.ServerError, lambda: other.get_object(prefix + "sts")).code == "InvalidSecurityToken"


def wrong_secret():
    wrong = oss2.Bucket(oss2.AuthV4(env["KEY_ID"], "wrong"), env["ENDPOINT"], env["BUCKET"], region=env["REGION"])
    error = raises(oss2.exceptions.SignatureDoesNotMatch, lambda: wrong.put_object(prefix + "wrong", b"x" * 2_000_000))
    assert "<CanonicalRequest>" in str(error.body), error.body


def version_1():
    old = oss2.Bucket(oss2.Auth(env["KEY_ID"], env["KEY_SECRET"]), env["ENDPOINT"], env["BUCKET"])
    headers = callback_headers(env["CALLBACK_OK"])
    check_answer(old.put_object(prefix + "v1 ü", b"hello", headers=headers).resp.read(), prefix + "v1 ü", 5)
    assert requests.get(old.sign_url("GET", prefix + "v1 ü", 600)).content == b"hello"


run({
    "put": put, "callback": callback_ok, "callback failed": callback_failed, "multipart": multipart, "resume": resume,
    "presigned": presigned, "form": lambda: post_forms(requests), "reading": reading, "listing": listing,
    "removing": removing, "odd keys": odd_keys, "sts": sts, "wrong secret": wrong_secret, "tampered": tampered,
    "version 1": version_1,
})
