import { resolve } from "node:path";

import { describe, expect, it } from "vitest";

import { parsePorts } from "@firn/service/environment";

import { Backoff } from "./backoff.ts";
import { readConfig } from "./config.ts";
import { formatReport } from "./report.ts";
import { parseStartArguments, PROCESS_NAMES } from "./start-arguments.mjs";

const counts = { received: 0, stored: 0, corrected: 0, duplicates: 0, rejected: 0, deleted: 0 };

describe("parseStartArguments", () => {
  it("starts everything in .firn by default", () => {
    expect(parseStartArguments([], {})).toEqual({
      kind: "start",
      options: { once: false, sample: true, dataDir: resolve(".firn"), autoPorts: false, only: PROCESS_NAMES },
    });
  });

  it("takes every flag, and the folder from the environment", () => {
    const args = ["--once", "--no-sample", "--ports", "auto", "--only", "ingest, nats"];
    expect(parseStartArguments(args, { FIRN_DATA_DIR: "/lake" })).toMatchObject({
      options: { once: true, sample: false, dataDir: "/lake", autoPorts: true, only: ["nats", "ingest"] },
    });
    expect(parseStartArguments(["--data-dir", "/other"], { FIRN_DATA_DIR: "/lake" })).toMatchObject({
      options: { dataDir: "/other" },
    });
  });

  it.each([
    [["--nonsense"], "--nonsense"],
    [["extra"], "extra"],
    [["--ports", "4000"], 'takes "auto"'],
    [["--only", "ingest,magic"], 'no process "magic"'],
    [["--only", "ingest"], "needs NATS_URL"],
    [["--only", "nats,query"], "needs ICEBERG_CATALOG_URI"],
    [["--data-dir", ""], "needs a folder"],
  ])("ends with usage and 2 for %j", (args, message) => {
    expect(parseStartArguments(args, {})).toMatchObject({
      kind: "end",
      exitCode: 2,
      text: expect.stringContaining(message) as string,
    });
  });

  it("helps", () => {
    expect(parseStartArguments(["--help"], {})).toMatchObject({ kind: "end", exitCode: 0 });
  });
});

describe("parsePorts", () => {
  it("takes ports from the environment and refuses what is none or taken twice", () => {
    expect(parsePorts({ FIRN_INGEST_PORT: "5000" })).toMatchObject({ ingest: 5000, query: 4200 });
    expect(() => parsePorts({ FIRN_QUERY_PORT: "tcp://10.0.0.1:80" })).toThrow(/FIRN_QUERY_PORT must be a port/);
    expect(() => parsePorts({ FIRN_QUERY_PORT: "4100" })).toThrow(/are both 4100/);
  });
});

describe("readConfig", () => {
  it("names the tables as the services do, and refuses what they would refuse", async () => {
    const start = parseStartArguments([], {});
    if (start.kind !== "start") throw new Error(start.text);
    const { datasets } = await readConfig(start.options, {
      ICEBERG_DATABASE: "site.health",
      FIRN_DEFAULT_TIMEZONE: "+09:00",
    });
    expect(datasets.get("health")?.raw).toMatchObject({ namespace: "site.health", name: "health_data_raw" });
    for (const variable of ["ICEBERG_TABLE_RAW", "FIRN_DEFAULT_TIMEZONE"]) {
      await expect(readConfig(start.options, { [variable]: "a b" })).rejects.toThrow(`${variable}: must be `);
    }
  });
});

describe("Backoff", () => {
  it("doubles up to ten seconds and begins anew after a long life", () => {
    const backoff = new Backoff();
    expect([0, 0, 0, 0, 0, 0, 0, 0].map((upMs) => backoff.next(upMs))).toEqual([
      200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
    ]);
    expect(backoff.next(60_000)).toBe(200);
  });
});

describe("formatReport", () => {
  it("shows what the run did and what the lake holds", () => {
    const rows = (raw: number) =>
      new Map([
        ["raw", raw],
        ["daily", undefined],
      ]);
    const report = {
      lake: "health",
      before: { counts, rows: rows(1000) },
      after: { counts: { ...counts, received: 1500, stored: 1234, duplicates: 6 }, rows: rows(2234) },
    };
    const text = formatReport([report], 4.26);
    expect(text).toMatch(/records in +1,500 +1,500\n/);
    expect(text).toMatch(/rows in raw +1,234 +2,234\n/);
    expect(text).toMatch(/rows in daily +\? +\?\n/);
    expect(text).toMatch(/seconds +4\.3$/);
    expect(formatReport([report, { ...report, lake: "sales" }], 1)).toMatch(/\n\nsales\nrecords in +1,500 /);
  });
});
