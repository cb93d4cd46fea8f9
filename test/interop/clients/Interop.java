// Maven com.aliyun.oss:aliyun-sdk-oss: the scenarios of test/interop, one method each. Run as a single source file.
import com.aliyun.oss.ClientBuilderConfiguration;
import com.aliyun.oss.HttpMethod;
import com.aliyun.oss.OSS;
import com.aliyun.oss.OSSClientBuilder;
import com.aliyun.oss.OSSException;
import com.aliyun.oss.common.auth.Credentials;
import com.aliyun.oss.common.auth.DefaultCredentialProvider;
import com.aliyun.oss.common.comm.SignVersion;
import com.aliyun.oss.model.*;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.*;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Interop {
  static final Map<String, String> env = System.getenv();
  static final String bucket = env.get("BUCKET"), prefix = env.get("PREFIX"), user = "u 1&2=3";
  static final OSS client = client(env.get("KEY_ID"), env.get("KEY_SECRET"), null, SignVersion.V4);

  interface Scenario {
    String run() throws Exception;
  }

  interface Action {
    void run() throws Exception;
  }

  static OSS client(String id, String secret, String token, SignVersion version) {
    ClientBuilderConfiguration configuration = new ClientBuilderConfiguration();
    configuration.setSignatureVersion(version);
    return OSSClientBuilder.create().endpoint(env.get("ENDPOINT")).region(env.get("REGION"))
        .credentialsProvider(new DefaultCredentialProvider(id, secret, token)).clientConfiguration(configuration).build();
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(InputStream stream) throws Exception {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  static void put(OSS oss, String key, String content) {
    oss.putObject(bucket, key, new ByteArrayInputStream(bytes(content)));
  }

  static String get(OSS oss, String key) throws Exception {
    return text(oss.getObject(bucket, key).getObjectContent());
  }

  static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError("expected " + expected + ", got " + actual);
  }

  static OSSException refused(String code, Action action) throws Exception {
    try {
      action.run();
    } catch (OSSException error) {
      same(error.getErrorCode(), code);
      return error;
    }
    throw new AssertionError("no " + code);
  }

  static Callback callback(String url) {
    Callback callback = new Callback();
    callback.setCallbackUrl(url);
    callback.setCallbackBody("object=${object}&size=${size}&user=${x:user}");
    callback.setCalbackBodyType(Callback.CalbackBodyType.URL);
    callback.addCallbackVar("x:user", user);
    return callback;
  }

  static String base64(String json) {
    return Base64.getEncoder().encodeToString(bytes(json));
  }

  static String callbackJson(String url) {
    return base64("{\"callbackUrl\":\"" + url + "\",\"callbackBody\":\"object=${object}&size=${size}&user=${x:user}\"}");
  }

  static Map<String, String> callbackHeaders(String url) {
    Map<String, String> headers = new HashMap<>();
    headers.put("x-oss-callback", callbackJson(url));
    headers.put("x-oss-callback-var", base64("{\"x:user\":\"" + user + "\"}"));
    return headers;
  }

  /** The application server echoes what it was told: {"told":"object=…&size=…&user=…"}. */
  static void checkAnswer(String answer, String key, int size) {
    Map<String, String> told = new TreeMap<>();
    for (String pair : answer.substring("{\"told\":\"".length(), answer.length() - 2).split("&")) {
      String[] parts = pair.split("=", 2);
      told.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
    }
    same(told, new TreeMap<>(Map.of("object", key, "size", "" + size, "user", user)));
  }

  static String put() throws Exception {
    PutObjectResult result = client.putObject(bucket, prefix + "put", new ByteArrayInputStream(bytes("hello")));
    same(result.getClientCRC(), result.getServerCRC());
    same(get(client, prefix + "put"), "hello");
    // A stream whose length nobody knows goes in chunks.
    InputStream endless = new java.io.SequenceInputStream(new ByteArrayInputStream(new byte[1000]), new ByteArrayInputStream(new byte[1000]));
    client.putObject(bucket, prefix + "stream", endless);
    same(client.headObject(bucket, prefix + "stream").getContentLength(), 2000L);
    return "";
  }

  static String callbackOk() throws Exception {
    PutObjectRequest request = new PutObjectRequest(bucket, prefix + "a b/ü", new ByteArrayInputStream(bytes("hello")));
    request.setCallback(callback(env.get("CALLBACK_OK")));
    checkAnswer(text(client.putObject(request).getResponse().getContent()), prefix + "a b/ü", 5);
    return "";
  }

  static String callbackFailed() throws Exception {
    PutObjectRequest request = new PutObjectRequest(bucket, prefix + "failed", new ByteArrayInputStream(bytes("hello")));
    request.setCallback(callback(env.get("CALLBACK_FAIL")));
    same(refused("CallbackFailed", () -> client.putObject(request)).getErrorMessage(), "Error status : 500.");
    same(get(client, prefix + "failed"), "hello");
    return "";
  }

  static String multipart() throws Exception {
    String key = prefix + "multipart";
    String id = client.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, key)).getUploadId();
    List<PartETag> parts = new ArrayList<>();
    for (int size : new int[] {102400, 5}) {
      UploadPartRequest part = new UploadPartRequest(bucket, key, id, parts.size() + 1, new ByteArrayInputStream(new byte[size]), size);
      parts.add(client.uploadPart(part).getPartETag());
    }
    same(client.listParts(new ListPartsRequest(bucket, key, id)).getParts().size(), 2);
    CompleteMultipartUploadRequest complete = new CompleteMultipartUploadRequest(bucket, key, id, parts);
    complete.setCallback(callback(env.get("CALLBACK_OK")));
    checkAnswer(text(client.completeMultipartUpload(complete).getResponse().getContent()), key, 102405);
    return "";
  }

  static File file() throws Exception {
    byte[] content = new byte[350000];
    for (int i = 0; i < content.length; i++) content[i] = (byte) (i * 7 % 251);
    return Files.write(new File(env.get("SCRATCH"), "350000.bin").toPath(), content).toFile();
  }

  static String resume() throws Exception {
    String key = prefix + "resume";
    File file = file();
    Action again = () -> {
      UploadFileRequest request = new UploadFileRequest(bucket, key);
      request.setUploadFile(file.getPath());
      request.setPartSize(100 * 1024);
      request.setEnableCheckpoint(true);
      try {
        client.uploadFile(request);
      } catch (Throwable error) {
        throw new Exception(error);
      }
    };
    try {
      again.run();
      throw new AssertionError("not refused");
    } catch (Exception expected) {
      same(((OSSException) expected.getCause()).getErrorCode(), "AccessDenied");
    }
    again.run();
    same(Arrays.equals(client.getObject(bucket, key).getObjectContent().readAllBytes(), Files.readAllBytes(file.toPath())), true);
    return "";
  }

  static HttpResponse<String> send(String method, String url, Map<String, String> headers, byte[] body) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url)).method(method, HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  static String presign(OSS oss, HttpMethod method, String key, Map<String, String> headers) {
    GeneratePresignedUrlRequest request = new GeneratePresignedUrlRequest(bucket, key, method);
    request.setExpiration(new Date(System.currentTimeMillis() + 600_000));
    request.setHeaders(new HashMap<>(headers)); // version 1 adds to them
    return oss.generatePresignedUrl(request).toString();
  }

  static String presigned() throws Exception {
    String key = prefix + "presigned";
    Map<String, String> headers = callbackHeaders(env.get("CALLBACK_OK"));
    HttpResponse<String> put = send("PUT", presign(client, HttpMethod.PUT, key, headers), headers, bytes("hello"));
    same(put.statusCode(), 200);
    checkAnswer(put.body(), key, 5);
    same(send("GET", presign(client, HttpMethod.GET, key, Map.of()), Map.of(), new byte[0]).body(), "hello");
    return "";
  }

  static String tampered() throws Exception {
    String key = prefix + "tampered";
    String url = presign(client, HttpMethod.PUT, key, callbackHeaders(env.get("CALLBACK_OK")));
    HttpResponse<String> put = send("PUT", url, callbackHeaders(env.get("CALLBACK_FAIL")), new byte[2_000_000]);
    same(put.statusCode(), 403);
    same(put.body().contains("<Code>SignatureDoesNotMatch</Code>"), true);
    same(client.doesObjectExist(bucket, key), false);
    return "";
  }

  static byte[] hmac(byte[] key, String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(bytes(text));
  }

  static String field(String name, String value) {
    return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }

  /** The SDK has no forms: built as in Alibaba's sample, which uses nothing of it but Base64. */
  static HttpResponse<String> postForm(String key, String more) throws Exception {
    Instant now = Instant.now();
    String stamp = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC).format(now), day = stamp.substring(0, 8);
    String credential = env.get("KEY_ID") + "/" + day + "/" + env.get("REGION") + "/oss/aliyun_v4_request";
    String policy = base64("{\"expiration\":\"" + now.plusSeconds(600) + "\",\"conditions\":[{\"bucket\":\"" + bucket
        + "\"},{\"x-oss-credential\":\"" + credential + "\"},{\"x-oss-date\":\"" + stamp
        + "\"},{\"x-oss-signature-version\":\"OSS4-HMAC-SHA256\"},[\"content-length-range\",1,1024]]}");
    byte[] signing = bytes("aliyun_v4" + env.get("KEY_SECRET"));
    for (String piece : List.of(day, env.get("REGION"), "oss", "aliyun_v4_request")) signing = hmac(signing, piece);
    String body = field("key", key) + field("policy", policy) + field("x-oss-signature-version", "OSS4-HMAC-SHA256")
        + field("x-oss-credential", credential) + field("x-oss-date", stamp)
        + field("x-oss-signature", HexFormat.of().formatHex(hmac(signing, policy))) + more
        + "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhi oss\r\n--B--\r\n";
    return send("POST", env.get("ENDPOINT") + "/" + bucket + "/", Map.of("Content-Type", "multipart/form-data; boundary=B"), bytes(body));
  }

  static String form() throws Exception {
    String key = prefix + "form";
    same(postForm(key, "").statusCode(), 204);
    HttpResponse<String> told = postForm(key, field("callback", callbackJson(env.get("CALLBACK_OK"))) + field("x:user", user));
    same(told.statusCode(), 200);
    checkAnswer(told.body(), key, 6);
    return "";
  }

  static String reading() throws Exception {
    String key = prefix + "reading";
    ObjectMetadata metadata = new ObjectMetadata();
    metadata.setContentType("text/x-test");
    client.putObject(bucket, key, new ByteArrayInputStream(bytes("0123456789")), metadata);
    GetObjectRequest range = new GetObjectRequest(bucket, key);
    range.setRange(2, 4);
    same(text(client.getObject(range).getObjectContent()), "234");
    same(client.headObject(bucket, key).getContentType(), "text/x-test");
    same(client.getSimplifiedObjectMeta(bucket, key).getSize(), 10L);
    same(client.doesObjectExist(bucket, prefix + "absent"), false);
    refused("NoSuchKey", () -> client.getObject(bucket, prefix + "absent"));
    return "";
  }

  static String listing() throws Exception {
    for (String name : List.of("l/1", "l/2", "l/sub/3")) put(client, prefix + name, "x");
    ListObjectsRequest one = new ListObjectsRequest(bucket, prefix + "l/", null, "/", 1);
    ObjectListing first = client.listObjects(one);
    same(first.getObjectSummaries().size(), 1);
    one.setMarker(first.getNextMarker());
    one.setMaxKeys(10);
    same(client.listObjects(one).getCommonPrefixes(), List.of(prefix + "l/sub/"));
    ListObjectsV2Request two = new ListObjectsV2Request(bucket).withPrefix(prefix + "l/").withDelimiter("/").withMaxKeys(1);
    ListObjectsV2Result page = client.listObjectsV2(two);
    same(page.getObjectSummaries().get(0).getKey(), prefix + "l/1");
    two.setContinuationToken(page.getNextContinuationToken());
    same(client.listObjectsV2(two).getObjectSummaries().get(0).getKey(), prefix + "l/2");
    same(client.listBuckets().get(0).getName(), bucket);
    return "";
  }

  static String removing() throws Exception {
    String key = prefix + "removed";
    String id = client.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, key)).getUploadId();
    ListMultipartUploadsRequest uploads = new ListMultipartUploadsRequest(bucket);
    uploads.setPrefix(key);
    same(client.listMultipartUploads(uploads).getMultipartUploads().get(0).getUploadId(), id);
    client.abortMultipartUpload(new AbortMultipartUploadRequest(bucket, key, id));
    refused("NoSuchUpload", () -> client.abortMultipartUpload(new AbortMultipartUploadRequest(bucket, key, id)));
    put(client, key, "x");
    client.deleteObject(bucket, key);
    same(client.doesObjectExist(bucket, key), false);
    put(client, key, "x");
    DeleteObjectsRequest several = new DeleteObjectsRequest(bucket).withKeys(List.of(key, prefix + "absent"));
    same(client.deleteObjects(several).getDeletedObjects().size(), 2);
    return "";
  }

  static List<String> oddKeys() {
    // The list is JSON of strings whose only escapes are \" and \\.
    List<String> keys = new ArrayList<>();
    java.util.regex.Matcher strings = java.util.regex.Pattern.compile("\"((?:[^\"\\\\]|\\\\.)*)\"").matcher(env.get("ODD_KEYS"));
    while (strings.find()) keys.add(strings.group(1).replaceAll("\\\\(.)", "$1"));
    return keys;
  }

  static String odd() throws Exception {
    for (String odd : oddKeys()) {
      String key = prefix + odd;
      try {
        put(client, key, odd);
        same(get(client, key), odd);
        same(client.listObjects(bucket, key).getObjectSummaries().get(0).getKey(), key);
        same(send("GET", presign(client, HttpMethod.GET, key, Map.of()), Map.of(), new byte[0]).body(), odd);
        same(client.deleteObjects(new DeleteObjectsRequest(bucket).withKeys(List.of(key)).withEncodingType("url")).getDeletedObjects(), List.of(key));
      } catch (Throwable error) {
        throw new Exception(odd + ": " + error.getMessage(), error);
      }
    }
    return "";
  }

  static String sts() throws Exception {
    OSS temporary = client(env.get("STS_ID"), env.get("STS_SECRET"), env.get("STS_TOKEN"), SignVersion.V4);
    put(temporary, prefix + "sts", "x");
    same(send("GET", presign(temporary, HttpMethod.GET, prefix + "sts", Map.of()), Map.of(), new byte[0]).body(), "x");
    OSS stranger = client(env.get("STS_ID"), env.get("STS_SECRET"), "another", SignVersion.V4);
    refused("InvalidSecurityToken", () -> get(stranger, prefix + "sts"));
    return "";
  }

  static String wrongSecret() throws Exception {
    OSS wrong = client(env.get("KEY_ID"), "wrong", null, SignVersion.V4);
    byte[] large = new byte[2_000_000];
    OSSException error = refused("SignatureDoesNotMatch", () -> wrong.putObject(bucket, prefix + "wrong", new ByteArrayInputStream(large)));
    same(error.getRawResponseError().contains("<CanonicalRequest>"), true);
    return "";
  }

  static String version1() throws Exception {
    OSS old = client(env.get("KEY_ID"), env.get("KEY_SECRET"), null, SignVersion.V1);
    PutObjectRequest request = new PutObjectRequest(bucket, prefix + "v1 ü", new ByteArrayInputStream(bytes("hello")));
    request.setCallback(callback(env.get("CALLBACK_OK")));
    checkAnswer(text(old.putObject(request).getResponse().getContent()), prefix + "v1 ü", 5);
    same(send("GET", presign(old, HttpMethod.GET, prefix + "v1 ü", Map.of()), Map.of(), new byte[0]).body(), "hello");
    return "";
  }

  public static void main(String[] arguments) {
    Map<String, Scenario> scenarios = new LinkedHashMap<>();
    scenarios.put("put", Interop::put);
    scenarios.put("callback", Interop::callbackOk);
    scenarios.put("callback failed", Interop::callbackFailed);
    scenarios.put("multipart", Interop::multipart);
    scenarios.put("resume", Interop::resume);
    scenarios.put("presigned", Interop::presigned);
    scenarios.put("form", Interop::form);
    scenarios.put("reading", Interop::reading);
    scenarios.put("listing", Interop::listing);
    scenarios.put("removing", Interop::removing);
    scenarios.put("odd keys", Interop::odd);
    scenarios.put("sts", Interop::sts);
    scenarios.put("wrong secret", Interop::wrongSecret);
    scenarios.put("tampered", Interop::tampered);
    scenarios.put("version 1", Interop::version1);
    List<String> only = env.containsKey("ONLY") ? List.of(env.get("ONLY").split(",")) : List.of();
    java.io.PrintStream out = new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8);
    scenarios.forEach((name, scenario) -> {
      if (!only.isEmpty() && !only.contains(name)) return;
      try {
        out.println(name + "\tok\t" + scenario.run());
      } catch (Throwable error) {
        error.printStackTrace();
        String detail = (error + "").replaceAll("\\s+", " ");
        out.println(name + "\tfailed\t" + detail.substring(0, Math.min(300, detail.length())));
      }
    });
    System.exit(0);
  }
}
