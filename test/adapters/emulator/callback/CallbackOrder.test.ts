/**
 * Which callback parameters are taken, and with which words the others are refused.
 *
 * The messages and ECs are those of Alibaba's pages; see the sources in adapters/emulator/callback/CallbackRefusal.ts.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as CallbackOrder from "../../../../adapters/emulator/callback/CallbackOrder.ts"

const base64 = (text: string): string => Buffer.from(text).toString("base64")
const json = (value: unknown): string => base64(JSON.stringify(value))

const plain = { callbackUrl: "http://app.example.com/cb", callbackBody: "bucket=${bucket}&key=${object}" }

const parse = (sources: Partial<CallbackOrder.Sources>) =>
  CallbackOrder.parse({ privateAddressesAllowed: true, ...sources })

const header = (callback: string, callbackVar?: string) => parse({ header: { callback, callbackVar } })

/** The order that a configuration makes; the configuration must be good. */
const ordered = (configuration: object, callbackVar?: string): CallbackOrder.CallbackOrder => {
  const order = Either.getOrThrow(header(json(configuration), callbackVar))
  if (order === undefined) throw new Error("no callback")
  return order
}

/** EC without its first half, message, name and value of the argument. */
const refused = (result: ReturnType<typeof parse>): ReadonlyArray<string> =>
  Either.match(result, {
    onLeft: ({ status, code, ec, message, argumentName, argumentValue }) => {
      expect({ status, code }).toEqual({ status: 400, code: "InvalidArgument" })
      return [ec.replace("0007-00000", ""), message, argumentName, argumentValue]
    },
    onRight: () => ["not refused"]
  })

const refusedField = (fields: object) => refused(header(json({ ...plain, ...fields }))).slice(0, 3)

const refusedVar = (callbackVar: string) => refused(header(json(plain), callbackVar))

/** A configuration of so many characters of base64, a multiple of four. */
const ofLength = (length: number) => {
  const empty = JSON.stringify({ ...plain, callbackBody: "" }).length
  return json({ ...plain, callbackBody: "b".repeat((length / 4) * 3 - empty) })
}

/** The URLs of a list: scheme, authority, port, path, query. */
const targets = (callbackUrl: string) =>
  ordered({ ...plain, callbackUrl }).urls.map(({ secure, authority, port, path, query }) =>
    [secure ? "https" : "http", authority, port, path, query ?? "-"].join(" ")
  )

describe("where the parameters come from", () => {
  it("the header, the query, and a form's fields say the same", () => {
    const callback = json(plain)
    const callbackVar = json({ "x:user": "u1" })
    const expected = Either.right({
      urls: [
        {
          secure: false,
          authority: "app.example.com",
          hostname: "app.example.com",
          port: 80,
          path: "/cb",
          query: undefined
        }
      ],
      host: undefined,
      body: plain.callbackBody,
      bodyType: "application/x-www-form-urlencoded",
      sni: false,
      variables: new Map([["x:user", "u1"]])
    })
    expect(parse({ header: { callback, callbackVar } })).toEqual(expected)
    expect(parse({ query: { callback, callbackVar } })).toEqual(expected)
    expect(parse({ form: { callback, vars: { "x:user": "u1", key: "a.txt" } } })).toEqual(expected)
    expect(parse({ form: { callback, callbackVar, vars: {} } })).toEqual(expected)
  })

  it("callback by header and callback-var by query go together", () => {
    const result = parse({ header: { callback: json(plain) }, query: { callbackVar: json({ "x:a": "1" }) } })
    expect(Either.getOrThrow(result)?.variables).toEqual(new Map([["x:a", "1"]]))
  })

  it("without callback there is none, whatever callback-var holds", () => {
    expect(parse({})).toEqual(Either.right(undefined))
    expect(parse({ header: { callbackVar: "x123-*&" } })).toEqual(Either.right(undefined))
    expect(parse({ header: { callbackVar: "e30=" }, query: { callbackVar: "e30=" } })).toEqual(Either.right(undefined))
    expect(parse({ header: { callback: "" } })).toEqual(Either.right(undefined))
    expect(parse({ form: { vars: { "x:a": "1" } } })).toEqual(Either.right(undefined))
  })

  it("without callbackUrl, or with an empty one, there is none", () => {
    expect(header(json({ callbackBody: "a" }))).toEqual(Either.right(undefined))
    expect(header(json({ ...plain, callbackUrl: "" }))).toEqual(Either.right(undefined))
    expect(header(json({ ...plain, callbackUrl: ";" }))).toEqual(Either.right(undefined))
  })

  it("the same parameter twice is refused with EC 27", () => {
    const callback = json(plain)
    expect(refused(parse({ header: { callback }, query: { callback } }))).toEqual([
      "027",
      "Either the callback query string parameter or the x-oss-callback header should be specified, not both.",
      "callback",
      callback
    ])
    const callbackVar = json({ "x:a": "1" })
    expect(refused(parse({ header: { callback, callbackVar }, query: { callbackVar } }))).toEqual([
      "027",
      "Either the callback-var query string parameter or the x-oss-callback-var header should be specified, not both.",
      "callback-var",
      callbackVar
    ])
  })
})

describe("the JSON that clients send", () => {
  it("Java's, joined by hand", () => {
    const text =
      '{"callbackUrl":"http://app.example.com/cb","callbackHost":"app.example.com",' +
      '"callbackBody":"{\\"mimeType\\":${mimeType},\\"size\\":${size}}","callbackBodyType":"application/json"}'
    const order = Either.getOrThrow(header(base64(text), base64('{"x:var1":"value1" ,"x:var2":"value2" }')))
    expect(order?.body).toBe('{"mimeType":${mimeType},"size":${size}}')
    expect(order?.bodyType).toBe("application/json")
    expect(order?.variables).toEqual(
      new Map([
        ["x:var1", "value1"],
        ["x:var2", "value2"]
      ])
    )
  })

  it("PHP's, with line breaks and bare UTF-8", () => {
    const text = '{\r\n    "callbackUrl":"app.example.com/cb",\n\t"callbackBody":"名=${object}"\n}\n'
    expect(Either.getOrThrow(header(base64(text)))?.body).toBe("名=${object}")
  })

  it("Python's, in ASCII", () => {
    const text = '{"callbackUrl": "app.example.com/cb", "callbackBody": "\\u540d=${object}"}'
    expect(Either.getOrThrow(header(base64(text)))?.body).toBe("名=${object}")
  })

  it("fields that OSS does not know are passed over", () => {
    expect(ordered({ ...plain, callbackStage: 7, callbackFailureAction: {}, calbackBodyType: "JSON" }).body).toBe(
      plain.callbackBody
    )
  })

  it("signature version 1.0 and no further headers are what there is anyway", () => {
    expect(ordered({ ...plain, signatureVersion: "1.0", additionalHeaders: {} }).body).toBe(plain.callbackBody)
  })
})

describe("callback as a whole", () => {
  it("5 KiB of base64 are taken, more are refused with EC 01", () => {
    expect(ofLength(5120).length).toBe(5120)
    expect(Either.isRight(header(ofLength(5120)))).toBe(true)
    expect(refused(header(ofLength(5124))).slice(0, 3)).toEqual([
      "001",
      "The length of callback exceed max value.",
      "callback"
    ])
  })

  it.each(["x123-*&", "error argument", "YQ", "YQ=", "YQ==\n", "Y=Q="])("%j is refused with EC 02", (callback) => {
    expect(refused(header(callback))).toEqual([
      "002",
      "The callback configuration is not base64 encoded.",
      "callback",
      callback
    ])
  })

  it("what is no JSON is refused with EC 03, and quoted decoded", () => {
    const text = '{"callbackUrl":"8.8.8.8:9090","callbackBody":"{"bucket":${bucket},"object":${object}}"}'
    expect(refused(header(base64(text)))).toEqual([
      "003",
      "The callback configuration is not json format.",
      "callback",
      text
    ])
  })

  it.each(["error argument", "[]", "null", '"a"', "7", '{"a":1,}', "\u{feff}{}"])("so is %j", (text) => {
    expect(refused(header(base64(text)))[0]).toBe("003")
  })

  it("so are bytes that are no UTF-8", () => {
    expect(refused(header(Buffer.from([0x7b, 0xff, 0x7d]).toString("base64")))[0]).toBe("003")
  })

  it("what XML cannot carry is not quoted", () => {
    expect(refused(header(base64("a\u0000b\u001fc\n")))[3]).toBe("a\u{fffd}b\u{fffd}c\n")
  })
})

describe("callbackUrl", () => {
  it("up to five, tried in order; a trailing semicolon is none", () => {
    expect(targets("a.com;b.com/x;https://c.com;http://d.com:8080/;e.com?q=1;")).toEqual([
      "http a.com 80 / -",
      "http b.com 80 /x -",
      "https c.com 443 / -",
      "http d.com:8080 8080 / -",
      "http e.com 80 / q=1"
    ])
  })

  it("is sent as it stands: dots, slashes and escapes are kept", () => {
    expect(targets("http://a.com/x/../y//%2e%2e/%E4%B8%AD?q=~'*+%20")).toEqual([
      "http a.com 80 /x/../y//%2e%2e/%E4%B8%AD q=~'*+%20"
    ])
  })

  it("loses its fragment, and a question mark with nothing behind it", () => {
    expect(targets("http://a.com/x?#top")).toEqual(["http a.com 80 /x -"])
  })

  it.each([
    "www.callback-example.com:test",
    "http://a.com:0",
    "http://a.com:65536",
    "http://a.com:",
    "http://a.com:80:80",
    "ftp://a.com",
    "http://",
    "http:///x",
    "http://[::1]:8080/",
    "http://user@a.com",
    "http://user:1@a.com",
    "http://a.com/中文.php",
    "http://a.com/a b",
    "http://a.com/\r\nHost: b",
    "a.com;http://b.com:x"
  ])("%j is refused with EC 04", (callbackUrl) => {
    expect(refused(header(json({ ...plain, callbackUrl })))).toEqual([
      "004",
      "The callback url configuration is invalid.",
      "callbackUrl",
      callbackUrl
    ])
  })

  it.each([null, 5, true, ["http://a.com"], {}])("so is %j", (callbackUrl) => {
    expect(refusedField({ callbackUrl })[0]).toBe("004")
  })

  it("six are refused with EC 05", () => {
    const callbackUrl = "https://a.com;https://b.com;https://c.com;https://d.com;https://e.com;https://f.com;"
    expect(refused(header(json({ ...plain, callbackUrl })))).toEqual([
      "005",
      "The number of callback url exceed max value.",
      "callbackUrl",
      callbackUrl
    ])
  })

  it("private addresses are refused with EC 08, where they are not allowed", () => {
    const callback = json({ ...plain, callbackUrl: "8.8.8.8/x;127.0.0.1:8088/test.php" })
    expect(refused(parse({ header: { callback }, privateAddressesAllowed: false }))).toEqual([
      "008",
      "Private address is forbidden to callback.",
      "callbackUrl",
      "8.8.8.8/x;127.0.0.1:8088/test.php"
    ])
    expect(Either.isRight(header(callback))).toBe(true)
  })
})

describe("the other fields", () => {
  it.each(["app.example.com", "app.example.com:8080", "10.0.0.1"])("callbackHost may be %j", (callbackHost) => {
    expect(ordered({ ...plain, callbackHost }).host).toBe(callbackHost)
  })

  it.each([[[1, 2, 3]], ["a b"], ["a\r\nX-Evil: 1"], ["a.com/x"], ["a.com:x"], [null], ["[::1]"]])(
    "callbackHost %j is refused with EC 09",
    (callbackHost) => {
      expect(refusedField({ callbackHost })).toEqual(["009", "The callback host configuration is invalid.", "callback"])
    }
  )

  it.each([[[1, 2, 3]], [5], [null], [{}], ["\ud800"]])("callbackBody %j is refused with EC 10", (callbackBody) => {
    expect(refusedField({ callbackBody })).toEqual(["010", "The callback body is invalid.", "callback"])
  })

  it("an empty or absent callbackBody is refused with EC 11", () => {
    const expected = ["011", "The callback body is empty.", "callback"]
    expect(refusedField({ callbackBody: "" })).toEqual(expected)
    expect(refusedField({ callbackBody: undefined })).toEqual(expected)
  })

  it("a callbackBodyType that is no string is refused with EC 12", () => {
    expect(refusedField({ callbackBodyType: 123 })).toEqual([
      "012",
      "The callback body type configuration is invalid.",
      "callback"
    ])
  })

  it.each(["image/jpg", "", "application/json; charset=utf-8", "JSON"])(
    "callbackBodyType %j is refused with EC 13",
    (callbackBodyType) => {
      expect(refusedField({ callbackBodyType })).toEqual([
        "013",
        "The body type of callback is not supported.",
        "callback"
      ])
    }
  )

  it("callbackSNI is a boolean: a string in its place is refused with EC 14, and the whole JSON quoted", () => {
    expect(ordered({ ...plain, callbackSNI: true }).sni).toBe(true)
    const text = JSON.stringify({ ...plain, callbackSNI: "true" })
    expect(refused(header(base64(text)))).toEqual(["014", "The callback sni is invalid.", "callback", text])
  })

  it("what OSS keeps for invited customers is refused with EC 21, 25 and 26", () => {
    expect(refusedField({ signatureVersion: "2.0" })[0]).toBe("021")
    expect(refusedField({ additionalHeaders: ["a"] })[0]).toBe("025")
    expect(refusedField({ additionalHeaders: { "x-oss-test": "val1" } })[0]).toBe("026")
  })

  it("a dollar sign without its brace is refused with EC 105", () => {
    expect(refusedField({ callbackBody: "size=${size}&my_var=$x:my_var}" })).toEqual([
      "105",
      "Left brace must be adjacent to dollar sign.",
      "ReplaceKeyPrefix"
    ])
  })
})

describe("callback-var", () => {
  it("beyond 5 KiB of base64 is refused with EC 101", () => {
    expect(refusedVar(json({ "x:a": "1".repeat(5000) })).slice(0, 3)).toEqual([
      "101",
      "The length of callback var exceed max value.",
      "callback-var"
    ])
  })

  it("that is no base64 is refused with EC 102", () => {
    expect(refusedVar("x123-*&").slice(0, 1)).toEqual(["102"])
  })

  it("that is no JSON is refused with EC 103", () => {
    const text = '{\n"x:var1":"value1",\n"x:var2":"value2"'
    expect(refusedVar(base64(text))).toEqual(["103", "The callback var is not expecten json.", "callback-var", text])
  })

  it.each([
    { "x:var1": "value1", "x:var2": { a: "b" } },
    { "x:a": 1 },
    { "x:a": null },
    { a: "1" },
    { "x:A": "1" },
    { "X:a": "1" },
    { "x:a": "\ud800" },
    ["x:a"],
    "x:a"
  ])("%j is refused with EC 104", (value) => {
    expect(refusedVar(json(value)).slice(0, 3)).toEqual([
      "104",
      "The callback var is not expecten json.",
      "callback-var"
    ])
  })

  it("may be empty", () => {
    expect(ordered(plain, json({})).variables.size).toBe(0)
    expect(ordered(plain, "").variables.size).toBe(0)
  })
})

const byName = json({ callbackPolicy: "videos" })
const policies = new Map([
  ["videos", { callback: json(plain), callbackVar: json({ "x:by": "policy" }) }],
  ["broken", { callback: "x123-*&" }],
  ["loop", { callback: json({ callbackPolicy: "loop" }) }]
])

const named = (callbackPolicy: string) => parse({ header: { callback: json({ callbackPolicy }) }, policies })

describe("policies of the bucket", () => {
  it("take the place of the whole configuration, and their variables win", () => {
    const callbackVar = json({ "x:by": "client", "x:own": "1" })
    const order = Either.getOrThrow(parse({ header: { callback: byName, callbackVar }, policies }))
    expect(order?.body).toBe(plain.callbackBody)
    expect(order?.variables).toEqual(
      new Map([
        ["x:by", "policy"],
        ["x:own", "1"]
      ])
    )
  })

  it("are refused when the bucket has none of that name", () => {
    const expected = ["", "The callback policy does not exist.", "callbackPolicy", '{"callbackPolicy":"videos"}']
    expect(refused(parse({ header: { callback: byName } }))).toEqual(expected)
    expect(refused(parse({ header: { callback: byName }, policies: new Map() }))).toEqual(expected)
    expect(refused(parse({ header: { callback: json({ callbackPolicy: 5 }) }, policies }))[2]).toBe("callbackPolicy")
  })

  it("are held to the same rules, and lead to no other policy", () => {
    expect(refused(named("broken"))[0]).toBe("002")
    expect(named("loop")).toEqual(Either.right(undefined))
  })
})

describe("hostile input", () => {
  const seeds = [
    JSON.stringify({ ...plain, callbackHost: "h", callbackSNI: true, callbackBodyType: "application/json" }),
    JSON.stringify({ callbackPolicy: "p" }),
    JSON.stringify({ ...plain, callbackUrl: "http://a.com:80/x?y;b;https://c#d" })
  ]
  const mutation = FastCheck.tuple(
    FastCheck.constantFrom(...seeds),
    FastCheck.nat(200),
    FastCheck.nat(8),
    FastCheck.oneof(
      FastCheck.string({ unit: "binary", maxLength: 8 }),
      FastCheck.constantFrom(
        '"',
        "\\",
        "{",
        "}",
        "$",
        "${",
        ";",
        ":",
        "\\ud800",
        "\\u0000",
        "null",
        "[[[[",
        "__proto__"
      )
    )
  ).map(([seed, at, cut, put]) => seed.slice(0, at) + put + seed.slice(at + cut))
  const anything = FastCheck.oneof(
    mutation.map(base64),
    FastCheck.string({ unit: "binary" }),
    FastCheck.base64String(),
    FastCheck.json().map(base64)
  )

  it("is refused or taken, and nothing else: 10,000 mutations", () => {
    FastCheck.assert(
      FastCheck.property(anything, anything, FastCheck.boolean(), (callback, callbackVar, privateAddressesAllowed) => {
        const result = parse({ header: { callback, callbackVar }, privateAddressesAllowed })
        return Either.isLeft(result) ? result.left.argumentName !== "" : true
      }),
      { numRuns: 10_000 }
    )
  })

  it("takes time linear in its length", () => {
    const nested = base64("[".repeat(3_800))
    const long = base64(`{"callbackUrl":"${"a.".repeat(1_800)}"}`)
    const started = performance.now()
    for (let i = 0; i < 100; i++) {
      header(nested)
      header(long)
      header("=".repeat(5_120))
      header("a".repeat(100_000_000 / 1_000))
    }
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
