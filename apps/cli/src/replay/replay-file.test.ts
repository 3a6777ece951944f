import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Progress } from "../progress.ts";
import { openInputFile } from "./input-file.ts";
import { openSource } from "./open-source.ts";
import { replayFile, type Resuming } from "./replay-file.ts";
import { ResumeState } from "./resume-state.ts";

/** An ingest that takes payloads of one line each into `accepted`, and refuses lines that hold "bad". */
class FakeIngest {
  readonly accepted: string[] = [];
  readonly requests: number[] = [];
  /** Gets the number of the request (from 1); gives a status other than 202, or nothing. */
  answer: (request: number) => { status: number; retryAfter?: string } | undefined = () => undefined;
  readonly #server = createServer((request, response) => void this.#take(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const lines = gunzipSync(Buffer.concat(parts)).toString().split("\n").filter(Boolean);
    this.requests.push(lines.length);
    const other =
      this.answer(this.requests.length) ?? (lines.some((line) => line.includes("bad")) ? { status: 400 } : undefined);
    if (other !== undefined) {
      response.writeHead(other.status, {
        "content-type": "application/problem+json",
        "retry-after": other.retryAfter ?? "0",
      });
      response.end(JSON.stringify({ code: "x", detail: "not good" }));
      return;
    }
    this.accepted.push(...lines);
    response.writeHead(202, { "content-type": "application/json" });
    response.end(JSON.stringify({ receipt: "r", payloads: lines.length }));
  }
}

const silent: Progress = { update: () => undefined, say: () => undefined, end: () => undefined };
let folder: string;
let ingest: FakeIngest;
let ingestUrl: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "firn-replay-"));
  ingest = new FakeIngest();
  ingestUrl = await ingest.listen();
});

afterEach(() => {
  ingest.close();
  rmSync(folder, { recursive: true, force: true });
});

const payload = (user: number, n: number, mark = "") =>
  JSON.stringify({ deviceId: "d", userId: `u${user}`, samples: [{ id: `${n}${mark}` }] });

async function replay(
  lines: readonly string[],
  options: { signal?: AbortSignal; resuming?: Resuming; name?: string } = {},
) {
  const path = join(folder, options.name ?? "payloads.ndjson");
  const text = `${lines.join("\n")}\n`;
  writeFileSync(path, path.endsWith(".gz") ? gzipSync(text) : text);
  const file = await openInputFile(path);
  const target = {
    ingestUrl,
    dataset: "health",
    concurrency: 3,
    signal: options.signal ?? new AbortController().signal,
  };
  return replayFile(file, openSource(file, {}), target, silent, options.resuming);
}

describe("replayFile", () => {
  it("sends every line as it is, and each user's lines in their order", async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => payload(i % 17, i));
    const report = await replay(lines, { name: "payloads.ndjson.gz" });
    expect(report).toMatchObject({ kind: "ndjson", samples: 5000, payloads: 5000, refused: [], problems: [] });
    expect([...ingest.accepted].sort()).toEqual([...lines].sort());
    for (let user = 0; user < 17; user += 1) {
      const own = (each: string) => each.includes(`"u${user}"`);
      expect(ingest.accepted.filter(own)).toEqual(lines.filter(own));
    }
  });

  it("finds the refused payloads and sends the others", async () => {
    const lines = Array.from({ length: 900 }, (_, i) => payload(i % 5, i, i === 3 || i === 700 ? "bad" : ""));
    const report = await replay(lines);
    expect(report.samples).toBe(898);
    expect(report.refused.map(({ position, status }) => [position, status]).sort()).toEqual([
      [4, 400],
      [701, 400],
    ]);
    expect(new Set(ingest.accepted).size).toBe(898);
  });

  it("waits for an ingest that is full or away", async () => {
    ingest.answer = (request) => (request <= 2 ? { status: request === 1 ? 503 : 429 } : undefined);
    const report = await replay([payload(1, 1)]);
    expect(report.samples).toBe(1);
    expect(ingest.requests).toHaveLength(3);
  });

  it("goes on behind what had its answer when it was stopped", async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => payload(i % 5, i));
    const ending = new AbortController();
    const path = join(folder, "state.json");
    const identity = { fileIdentity: "x", ingestUrl, options: {} };
    const resuming = { state: new ResumeState(path), identity };
    ingest.answer = (request) => {
      if (request === 6) ending.abort();
      return undefined;
    };
    await expect(replay(lines, { signal: ending.signal, resuming })).rejects.toThrow(/stopped/);
    const before = ingest.accepted.length;
    expect(before).toBeLessThan(lines.length);
    const answered = resuming.state.read(identity);
    expect(answered).toBeGreaterThan(0);
    const report = await replay(lines, { resuming });
    expect(report.resumed).toBe(answered);
    expect(new Set(ingest.accepted).size).toBe(lines.length);
    expect(ingest.accepted.length - lines.length).toBe(before - answered);
    expect(resuming.state.read(identity)).toBe(0);
  });

  it("does not take the state of another file", () => {
    const state = new ResumeState(join(folder, "state.json"));
    state.write({ fileIdentity: "a", ingestUrl, options: {} }, 7, true);
    expect(state.read({ fileIdentity: "b", ingestUrl, options: {} })).toBe(0);
    expect(state.read({ fileIdentity: "a", ingestUrl, options: {} })).toBe(7);
  });
});

describe("openSource", () => {
  const open = async (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return openSource(await openInputFile(join(folder, name)), {});
  };

  it("says what a file is that it cannot replay", async () => {
    await expect(open("a.zip", "PK\u0003\u0004")).rejects.toThrow(/zip archive/);
    await expect(open("a.json", "[{}]")).rejects.toThrow(/JSON array/);
    await expect(open("a.csv", "a,b\n1,2\n")).rejects.toThrow(/its first line is "a,b"/);
    await expect(open("a.xml", "<?xml")).rejects.toThrow(/names no person/);
    await expect(openInputFile(join(folder, "none"))).rejects.toThrow(/no such file/);
  });

  it("leaves out a line that is longer than ingest takes, and says so", async () => {
    const source = await open("a.ndjson", `${payload(1, 1)}\n{"x":"${"y".repeat(5_000_000)}"}\n\n${payload(1, 2)}`);
    const positions: number[] = [];
    for await (const lines of source.payloads()) positions.push(...lines.map(({ position }) => position));
    expect(positions).toEqual([1, 4]);
    expect(source.problems).toEqual([expect.stringContaining("line 2: longer than")]);
  });
});
