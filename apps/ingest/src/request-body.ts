import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";
import { Problem } from "@firn/service";
import type { ByteShare } from "./byte-budget.ts";
import { BODY_BYTES_MAX, PACKED_BYTES_MAX } from "./limits.ts";

/**
 * The unpacked bytes of a request, at most BODY_BYTES_MAX.
 *
 * @throws Problem 413 over the limit, 415 for an encoding other than gzip, 400 for a gzip that is damaged or cut off,
 *   503 when the share has no room.
 */
export async function readBody(request: IncomingMessage, share: ByteShare): Promise<Buffer> {
  const encoding = contentEncoding(request.headers["content-encoding"]);
  const limit = encoding === "gzip" ? PACKED_BYTES_MAX : BODY_BYTES_MAX;
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limit) throw tooLarge();
  const bytes = await collect(request, limit, share);
  return encoding === "gzip" ? unpack(bytes, share) : bytes;
}

function contentEncoding(header: string | undefined): "gzip" | "identity" {
  const name = (header ?? "identity").trim().toLowerCase();
  if (name === "gzip" || name === "x-gzip") return "gzip";
  if (name === "identity" || name === "") return "identity";
  throw new Problem(415, "unsupported_encoding", "Content-Encoding must be gzip or absent.", {
    headers: { "accept-encoding": "gzip" },
    errors: [{ field: "Content-Encoding", rule: "gzip", message: "Content-Encoding must be gzip or absent" }],
  });
}

function tooLarge(): Problem {
  return new Problem(413, "too_large", `The body is over ${BODY_BYTES_MAX} bytes unpacked.`, {
    errors: [{ field: "body", rule: "size", message: `the body may have ${BODY_BYTES_MAX} bytes unpacked` }],
  });
}

/** After a refusal the rest is read and thrown away, so that the client gets to see the answer. */
function collect(request: IncomingMessage, limit: number, share: ByteShare): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      try {
        if (size > limit) throw tooLarge();
        share.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop();
        request.resume();
        reject(error as Error);
      }
    };
    const onEnd = () => {
      stop();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    };
    const onBreak = () => {
      stop();
      reject(new Problem(400, "incomplete_body", "The connection ended before the body did."));
    };
    const stop = () => request.off("data", onData).off("end", onEnd).off("error", onBreak).off("close", onBreak);
    request.on("data", onData).on("end", onEnd).on("error", onBreak).on("close", onBreak);
  });
}

/** Unpacks in pieces and stops at the first byte over the limit: a bomb costs no more than a full body. */
function unpack(packed: Buffer, share: ByteShare): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const gunzip = createGunzip();
    const fail = (error: Error) => {
      gunzip.destroy();
      reject(error);
    };
    gunzip.on("data", (chunk: Buffer) => {
      size += chunk.length;
      try {
        if (size > BODY_BYTES_MAX) throw tooLarge();
        share.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
    gunzip.on("error", () => fail(brokenGzip()));
    gunzip.on("end", () => {
      if (gunzip.bytesWritten < packed.length) fail(brokenGzip());
      else resolve(Buffer.concat(chunks, size));
    });
    gunzip.end(packed);
  });
}

function brokenGzip(): Problem {
  return new Problem(400, "broken_gzip", "The body is not a whole gzip stream.", {
    errors: [{ field: "body", rule: "gzip", message: "the body must be a whole gzip stream" }],
  });
}
