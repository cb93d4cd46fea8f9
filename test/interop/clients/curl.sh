#!/usr/bin/env bash
# curl: the scenarios of test/interop, one function each. Its requests are signed with version 1, by openssl.
set -uo pipefail

body=$SCRATCH/body       # of the last answer
big=$SCRATCH/big         # larger than 1 MiB: curl waits for 100 Continue
head -c 2000000 /dev/zero >"$big"

b64() { printf '%s' "$1" | openssl base64 -A; }
encode() { printf '%s' "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g'; } # every byte, which OSS must read the same
hmac() { printf '%s' "$2" | openssl dgst -sha1 -hmac "$1" -binary | openssl base64 -A; }

# signed METHOD KEY[?SUBRESOURCE] [x-oss-NAME:VALUE …] -- [curl's arguments]: sends, leaves the body, prints the status.
# The headers must come in order. May be set before it: ID, SECRET, CURL_QUERY (a query that is not signed), and WHOLE (a
# question mark is part of the key).
signed() {
  local method=$1 key=$2 sub="" date headers=() lines="" url
  [[ -z ${WHOLE-} && $2 == *\?* ]] && key=${2%%\?*} sub="?${2#*\?}"
  shift 2
  while [[ $1 != -- ]]; do
    headers+=(-H "$1")
    lines+="$1"$'\n'
    shift
  done
  shift
  date=$(LC_ALL=C TZ=GMT date '+%a, %d %b %Y %H:%M:%S GMT')
  url=$ENDPOINT/$BUCKET/$(encode "$key")${CURL_QUERY-$sub}
  curl -sS --max-time 60 --path-as-is -o "$body" -w '%{http_code}' -X "$method" -H "Date: $date" -H 'Content-Type:' \
    -H "Authorization: OSS ${ID-$KEY_ID}:$(hmac "${SECRET-$KEY_SECRET}" "$method"$'\n\n\n'"$date"$'\n'"$lines/$BUCKET/$key$sub")" \
    ${headers[@]+"${headers[@]}"} "$@" "$url"
}

fail() {
  printf '%s' "$*" >&4
  exit 1
}
same() { [[ $1 == "$2" ]] || fail "expected $2, got $1: $(tr '\n' ' ' <"$body" | head -c 200)"; }
has() { grep -qF -- "$1" "$body" || fail "no $1 in $(tr '\n' ' ' <"$body" | head -c 200)"; }

callback() { b64 "{\"callbackUrl\":\"$1\",\"callbackBody\":\"object=\${object}&size=\${size}&user=\${x:user}\"}"; }
vars=$(b64 '{"x:user":"me"}')
told() { has "{\"told\":\"object=$1&size=$2&user=me\"}"; }
ok_headers=("x-oss-callback:$(callback "$CALLBACK_OK")" "x-oss-callback-var:$vars")
pre=${PREFIX//\//%2F}

s_put() {
  same "$(signed PUT "${PREFIX}put" -- -T "$big")" 200
  same "$(signed GET "${PREFIX}put" --)" 200
  cmp "$body" "$big" || fail "other bytes came back"
  same "$(printf hello | signed PUT "${PREFIX}stream" -- -T -)" 200 # in chunks
  same "$(printf hello | signed PUT "${PREFIX}old" -- -0 -H 'Content-Length: 5' --data-binary @-)" 200 # HTTP/1.0
  same "$(signed GET "${PREFIX}stream" --)" 200
  same "$(cat "$body")" hello
  # As a proxy's client: the whole URL on the request line.
  ENDPOINT=http://$BUCKET.oss-$REGION.aliyuncs.com
  same "$(http_proxy=$PROXY proxied "${PREFIX}stream")" 200
  same "$(cat "$body")" hello
}
proxied() {
  local date
  date=$(LC_ALL=C TZ=GMT date '+%a, %d %b %Y %H:%M:%S GMT')
  curl -sS --max-time 60 -o "$body" -w '%{http_code}' -H "Date: $date" \
    -H "Authorization: OSS $KEY_ID:$(hmac "$KEY_SECRET" GET$'\n\n\n'"$date"$'\n'"/$BUCKET/$1")" "$ENDPOINT/$1"
}
PROXY=$ENDPOINT

s_callback() {
  same "$(signed PUT "${PREFIX}callback" "${ok_headers[@]}" -- -T "$big")" 200
  told "${pre}callback" 2000000
}
s_callback_failed() {
  same "$(signed PUT "${PREFIX}failed" "x-oss-callback:$(callback "$CALLBACK_FAIL")" -- --data-binary x)" 203
  has '<Code>CallbackFailed</Code>'
  same "$(signed GET "${PREFIX}failed" --)" 200
}
s_multipart() {
  local key=${PREFIX}multipart id
  same "$(signed POST "$key?uploads" --)" 200
  id=$(sed -n 's/.*<UploadId>\(.*\)<\/UploadId>.*/\1/p' "$body")
  same "$(signed PUT "$key?partNumber=1&uploadId=$id" -- -T "$big")" 200
  same "$(signed PUT "$key?partNumber=2&uploadId=$id" -- --data-binary hello)" 200
  same "$(signed GET "$key?uploadId=$id" --)" 200
  has '<PartNumber>2</PartNumber>'
  same "$(signed POST "$key?uploadId=$id" "${ok_headers[@]}" x-oss-complete-all:yes --)" 200
  told "${pre}multipart" 2000005
}
s_presigned() {
  local key=${PREFIX}presigned expires=$(($(date +%s) + 600)) callback vars query
  callback=$(callback "$CALLBACK_OK") vars=$(b64 '{"x:user":"me"}')
  query="OSSAccessKeyId=$KEY_ID&Expires=$expires&callback=$(encode "$callback")&callback-var=$(encode "$vars")"
  query+="&Signature=$(encode "$(hmac "$KEY_SECRET" PUT$'\n\n\n'"$expires"$'\n'"/$BUCKET/$key?callback=$callback&callback-var=$vars")")"
  same "$(curl -sS -o "$body" -w '%{http_code}' -H Content-Type: -T "$big" "$ENDPOINT/$BUCKET/$key?$query")" 200
  told "${pre}presigned" 2000000
}
s_form() {
  local policy
  policy=$(b64 "{\"expiration\":\"2100-01-01T00:00:00.000Z\",\"conditions\":[{\"bucket\":\"$BUCKET\"}]}")
  post() {
    curl -sS -o "$body" -w '%{http_code}' -F "key=${PREFIX}form/\${filename}" -F "OSSAccessKeyId=$KEY_ID" \
      -F "policy=$policy" -F "Signature=$(hmac "$KEY_SECRET" "$policy")" "$@" "$ENDPOINT/$BUCKET/"
  }
  same "$(post -F "file=@$big")" 204
  same "$(post -F "callback=$(callback "$CALLBACK_OK")" -F x:user=me -F "file=@$big;type=video/mp4")" 200
  told "${pre}form%2Fbig" 2000000
}
s_reading() {
  same "$(signed PUT "${PREFIX}reading" -- --data-binary 0123456789)" 200
  same "$(signed GET "${PREFIX}reading" -- -r 2-4)" 206
  same "$(cat "$body")" 234
  same "$(signed HEAD "${PREFIX}reading" -- -I)" 200
  grep -qi '^content-length: 10' "$body" || fail "HEAD tells no length"
  same "$(signed HEAD "${PREFIX}reading?objectMeta" -- -I)" 200
  same "$(signed GET "${PREFIX}absent" --)" 404
  has '<Code>NoSuchKey</Code>'
}
s_listing() {
  for name in l/1 l/2 l/sub/3; do same "$(signed PUT "$PREFIX$name" -- --data-binary x)" 200; done
  local query="prefix=${pre}l%2F&delimiter=%2F&max-keys=2"
  same "$(CURL_QUERY="?$query" signed GET "" --)" 200
  has "<NextMarker>${PREFIX}l/2</NextMarker>"
  same "$(CURL_QUERY="?list-type=2&$query" signed GET "" --)" 200
  has '<KeyCount>2</KeyCount>'
}
s_removing() {
  local key=${PREFIX}removed id
  same "$(signed POST "$key?uploads" --)" 200
  id=$(sed -n 's/.*<UploadId>\(.*\)<\/UploadId>.*/\1/p' "$body")
  same "$(signed DELETE "$key?uploadId=$id" --)" 204
  same "$(signed DELETE "$key?uploadId=$id" --)" 404
  same "$(signed PUT "$key" -- --data-binary x)" 200
  same "$(signed DELETE "$key" --)" 204
  same "$(signed PUT "$key" -- --data-binary x)" 200
  same "$(signed POST "?delete" -- --data-binary "<Delete><Object><Key>$key</Key></Object></Delete>")" 200
  has "<Deleted><Key>$key</Key></Deleted>"
}
s_odd_keys() {
  node -e 'for (const key of JSON.parse(process.env.ODD_KEYS)) console.log(key)' >"$SCRATCH/keys"
  local WHOLE=1
  while read -r key; do
    same "$(signed PUT "$PREFIX$key" -- --data-binary "$key")" 200
    same "$(signed GET "$PREFIX$key" --)" 200
    same "$(cat "$body")" "$key"
    same "$(signed DELETE "$PREFIX$key" --)" 204
  done <"$SCRATCH/keys"
}
s_sts() {
  ID=$STS_ID SECRET=$STS_SECRET
  same "$(signed PUT "${PREFIX}sts" "x-oss-security-token:$STS_TOKEN" -- --data-binary x)" 200
  same "$(signed PUT "${PREFIX}sts" x-oss-security-token:another -- --data-binary x)" 403
  has '<Code>InvalidSecurityToken</Code>'
}
s_wrong_secret() {
  SECRET=wrong
  same "$(signed PUT "${PREFIX}wrong" -- -T "$big")" 403
  has '<Code>SignatureDoesNotMatch</Code>'
  same "$(signed PUT "${PREFIX}wrong" -- -H Expect: -T "$big")" 403 # the whole body goes out all the same
  has '<Code>SignatureDoesNotMatch</Code>'
}
s_tampered() {
  local date status
  date=$(LC_ALL=C TZ=GMT date '+%a, %d %b %Y %H:%M:%S GMT')
  status=$(curl -sS -o "$body" -w '%{http_code}' -H "Date: $date" -H Content-Type: -H "x-oss-callback:$(callback "$CALLBACK_FAIL")" \
    -H "Authorization: OSS $KEY_ID:$(hmac "$KEY_SECRET" PUT$'\n\n\n'"$date"$'\n'"x-oss-callback:$(callback "$CALLBACK_OK")"$'\n'"/$BUCKET/${PREFIX}tampered")" \
    -T "$big" "$ENDPOINT/$BUCKET/${PREFIX}tampered")
  same "$status" 403
  has '<Code>SignatureDoesNotMatch</Code>'
  same "$(signed HEAD "${PREFIX}tampered" -- -I)" 404
}

run() {
  [[ -n ${ONLY-} && ",$ONLY," != *",$1,"* ]] && return
  local detail
  if detail=$( ("s_${1// /_}") 4>&1 >/dev/null); then printf '%s\tok\t\n' "$1"; else printf '%s\tfailed\t%s\n' "$1" "$detail"; fi
}

for name in put callback "callback failed" multipart presigned form reading listing removing "odd keys" sts "wrong secret" tampered; do
  run "$name"
done
printf 'resume\tcannot\tcurl resumes no uploads\n'
printf 'version 1\tok\tall of these requests are signed so\n'
