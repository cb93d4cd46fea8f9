/**
 * Somebody who is not OSS tells the application server of an upload that never was.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Transport from "../../../core/ports/Transport.ts"
import * as Utf8 from "../../../core/model/Utf8.ts"
import * as NodeOss from "../../node/NodeOss.ts"

/** Sends the forged callback, signed by nobody OSS knows, and answers what the server said. */
export const send = (server: string) =>
  Effect.gen(function* () {
    const transport = yield* Transport.Transport
    const { body, status } = yield* transport.send({
      method: "POST",
      url: `${server}/video-uploaded`,
      headers: {
        "content-type": "application/json",
        authorization: "Zm9yZ2Vk".repeat(16),
        "x-oss-pub-key-url": "aHR0cHM6Ly9nb3NzcHVibGljLmFsaWNkbi5jb20uZXZpbC5leGFtcGxlL2NhbGxiYWNrX3B1Yl9rZXlfdjEucGVt"
      },
      body: Transport.bytes(Utf8.encode('{"object":"videos/never.mp4","size":1,"crc64":"0","user_id":"u_1"}')),
      timeout: Duration.seconds(10),
      maxResponseBytes: 65_536
    })
    return `${status} ${new TextDecoder().decode(body)}`
  }).pipe(Effect.provide(NodeOss.layerWithoutClient()))
