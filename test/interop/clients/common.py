"""What the Python programs share: their orders from the environment, and how they report."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import sys
import traceback

env = {name: os.environ[name] for name in (
    "ENDPOINT", "BUCKET", "REGION", "KEY_ID", "KEY_SECRET", "STS_ID", "STS_SECRET", "STS_TOKEN",
    "CALLBACK_OK", "CALLBACK_FAIL", "PREFIX", "SCRATCH")}

ODD_KEYS = json.loads(os.environ["ODD_KEYS"])

VAR = {"x:user": "u 1&2=3"}
# What the application server is told, and hands back: the object's key and the variable, percent-encoded.
BODY = "object=${object}&size=${size}&user=${x:user}"


def b64(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def callback(url):
    return {"callbackUrl": url, "callbackBody": BODY, "callbackBodyType": "application/x-www-form-urlencoded"}


def callback_headers(url):
    return {"x-oss-callback": b64(callback(url)), "x-oss-callback-var": b64(VAR)}


def check_answer(answer, key, size):
    """The application server echoes what it was told, once it has verified the signature."""
    from urllib.parse import parse_qs
    told = parse_qs(json.loads(answer)["told"], keep_blank_values=True)
    expected = {"object": [key], "size": [str(size)], "user": [VAR["x:user"]]}
    assert told == expected, (told, expected)


def check_failed(status, document):
    assert status == 203, status
    assert b"<Code>CallbackFailed</Code>" in document, document
    assert b"Error status : 500." in document, document


def file_of(size):
    path = os.path.join(env["SCRATCH"], f"{size}.bin")
    with open(path, "wb") as file:
        file.write(bytes(i * 7 % 251 for i in range(997)) * (size // 997) + b"z" * (size % 997))
    return path


def signed_form(key, more=()):
    """The fields of a form as Alibaba's sample builds them, signed with V4."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
    credential = f"{env['KEY_ID']}/{day}/{env['REGION']}/oss/aliyun_v4_request"
    policy = base64.b64encode(json.dumps({
        "expiration": (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "conditions": [{"bucket": env["BUCKET"]}, {"x-oss-signature-version": "OSS4-HMAC-SHA256"},
                       {"x-oss-credential": credential}, {"x-oss-date": stamp}, ["content-length-range", 1, 1024]],
    }).encode()).decode()
    signing_key = ("aliyun_v4" + env["KEY_SECRET"]).encode()
    for piece in (day, env["REGION"], "oss", "aliyun_v4_request"):
        signing_key = hmac.new(signing_key, piece.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing_key, policy.encode(), hashlib.sha256).hexdigest()
    return {"key": key, "policy": policy, "x-oss-signature-version": "OSS4-HMAC-SHA256", "x-oss-credential": credential,
            "x-oss-date": stamp, "x-oss-signature": signature, **dict(more)}


def post_forms(requests):
    """Forms need no SDK: both of Alibaba's Python samples send them with requests."""
    url = f"{env['ENDPOINT']}/{env['BUCKET']}/"
    key = env["PREFIX"] + "form"
    plain = requests.post(url, data=signed_form(key), files={"file": ("a.txt", b"hi oss", "text/plain")})
    assert plain.status_code == 204, (plain.status_code, plain.text)
    assert plain.headers["x-oss-hash-crc64ecma"]
    extra = {"callback": b64(callback(env["CALLBACK_OK"])), **VAR}
    told = requests.post(url, data=signed_form(key, extra.items()), files={"file": ("a.txt", b"hi oss")})
    assert told.status_code == 200, (told.status_code, told.text)
    check_answer(told.text, key, 6)


def run(scenarios):
    """Runs the scenarios by name and reports each on a line: name, outcome, detail."""
    wanted = [name for name in os.environ.get("ONLY", "").split(",") if name]
    for name, scenario in scenarios.items():
        if wanted and name not in wanted:
            continue
        if isinstance(scenario, str):
            print(f"{name}\tcannot\t{scenario}", flush=True)
            continue
        try:
            note = scenario()
            print(f"{name}\tok\t{note or ''}", flush=True)
        except BaseException as error:  # also the exits of a library
            traceback.print_exc(file=sys.stderr)
            detail = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"{name}\tfailed\t{detail[:300]}", flush=True)
