// A load maker that costs little: requests are made beforehand, each connection is one kept-alive socket.
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** The bytes of a POST with this JSON body. */
export function jsonRequest(url, body) {
  return request(url, body, "application/json");
}

/** The bytes of a POST with these payloads, one a line. */
export function linesRequest(url, bodies) {
  return request(url, bodies.join("\n"), "application/x-ndjson");
}

function request(url, body, contentType) {
  const { host, pathname } = new URL(url);
  const bytes = Buffer.from(body, "utf8");
  const head = `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

/** One kept-alive connection; `send` resolves with the status and Retry-After of the answer. */
export function connection(url) {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let waiting;
  let received = "";
  socket.setEncoding("latin1");
  socket.on("data", (text) => {
    received += text;
    const end = received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = received.slice(0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    received = received.slice(end + 4 + length);
    const answer = {
      status: Number(head.slice(9, 12)),
      retryAfter: Number(/retry-after: (\d+)/i.exec(head)?.[1] ?? 1),
    };
    waiting?.resolve(answer);
  });
  let closed = false;
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => {
    closed = true;
    waiting?.reject(new Error("the connection was closed"));
  });
  return {
    send(request) {
      return new Promise((resolve, reject) => {
        if (closed) return reject(new Error("the connection was closed"));
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
}

/**
 * Sends every request in order, each until it is accepted; a connection that breaks is made anew. `onRetry` hears of
 * each time that a request is sent again although it may have been stored.
 */
export async function sendInOrder(url, requests, { signal, onRetry } = {}) {
  let open = connection(url);
  for (const request of requests) {
    for (;;) {
      if (signal?.aborted) return open.close();
      let answer;
      try {
        answer = await open.send(request);
      } catch {
        onRetry?.(request);
        open.close();
        await sleep(100);
        open = connection(url);
        continue;
      }
      if (answer.status === 202) break;
      if (answer.status !== 503 && answer.status !== 429) throw new Error(`ingest answered ${answer.status}`);
      onRetry?.(request);
      await sleep(1000 * answer.retryAfter);
    }
  }
  open.close();
}
