import { once } from "node:events";
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * One failure of a network or a server:
 * `status` answers with it and forwards nothing; `reset` ends the connection instead of forwarding; `lost_answer`
 * forwards and then ends the connection; `cut_answer` and `damaged_answer` pass half of the body, or all of it with one
 * byte changed; `damaged_request` forwards a body with one byte changed; `late` forwards after `delayMs`.
 */
export interface ProxyFault {
  readonly kind: "status" | "reset" | "lost_answer" | "cut_answer" | "damaged_answer" | "damaged_request" | "late";
  /** Only requests of this method; any when absent. */
  readonly method?: string;
  /** How many requests it meets. Default 1. */
  readonly times?: number;
  readonly status?: number;
  readonly body?: string;
  readonly delayMs?: number;
}

export interface FaultProxy {
  readonly url: string;
  /** Requests that came, faults included. */
  readonly requests: number;
  /** Faults that did not come yet. */
  readonly faultsLeft: number;
  fail(fault: ProxyFault): void;
  close(): Promise<void>;
}

/** An HTTP proxy in front of one server, which fails as it is told and otherwise passes everything as it came. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const faults: { fault: ProxyFault; left: number }[] = [];
  let requests = 0;
  const next = (method: string): ProxyFault | undefined => {
    const due = faults.find(({ fault, left }) => left > 0 && (fault.method ?? method) === method);
    if (due !== undefined) due.left -= 1;
    return due?.fault;
  };
  const server = createServer((request, response) => {
    requests += 1;
    pass(target, request, response, next(request.method ?? "")).catch(() => request.socket.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    get faultsLeft() {
      return faults.reduce((sum, { left }) => sum + left, 0);
    },
    fail: (fault) => void faults.push({ fault, left: fault.times ?? 1 }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function pass(target: string, request: IncomingMessage, response: ServerResponse, fault: ProxyFault | undefined) {
  const kind = fault?.kind;
  const body = await bytesOf(request);
  if (kind === "reset") return void request.socket.destroy();
  if (kind === "status") return void response.writeHead(fault?.status ?? 503).end(fault?.body ?? "");
  if (kind === "late") await sleep(fault?.delayMs ?? 0);
  const answer = await ask(target, request, kind === "damaged_request" ? damaged(body) : body);
  const bytes = await bytesOf(answer);
  if (kind === "lost_answer") return void request.socket.destroy();
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  if (kind !== "cut_answer") return void response.end(kind === "damaged_answer" ? damaged(bytes) : bytes);
  response.write(bytes.subarray(0, bytes.length >> 1), () => request.socket.destroy());
}

/** Headers go as they came: the host is part of what was signed. */
async function ask(target: string, { method, url, rawHeaders }: IncomingMessage, body: Buffer) {
  const sent = forward(new URL(url ?? "/", target), {
    method,
    headers: rawHeaders as unknown as string[],
    agent: false,
  });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function damaged(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  const at = bytes.length >> 1;
  if (bytes.length > 0) changed[at] = changed[at]! ^ 0x01;
  return changed;
}
