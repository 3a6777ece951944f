import { Agent, request } from "node:http";

/** Asks one service over kept connections, and tells how long questions take. */

const agent = new Agent({ keepAlive: true });

/** @param body a POST's JSON; without it a GET */
export function askHttp(url: string, body?: string): Promise<string> {
  const method = body === undefined ? "GET" : "POST";
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(text)
          : reject(new Error(`${url} answered ${response.statusCode}: ${text}`)),
      );
    });
    sent.on("error", reject).end(body);
  });
}

export function closeConnections(): void {
  agent.destroy();
}

/** Milliseconds of each call, least first; some calls before them are not counted. */
export async function timeEach(times: number, warmUps: number, call: () => Promise<void>): Promise<number[]> {
  for (let n = 0; n < warmUps; n++) await call();
  const taken: number[] = [];
  for (let n = 0; n < times; n++) {
    const startMs = performance.now();
    await call();
    taken.push(performance.now() - startMs);
  }
  return taken.sort((one, other) => one - other);
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export function printPercentiles(name: string, sorted: readonly number[]): void {
  const at = (share: number) => percentile(sorted, share).toFixed(2);
  console.log(`${name.padEnd(44)} p50 ${at(0.5)} ms  p95 ${at(0.95)} ms  p99 ${at(0.99)} ms`);
}
