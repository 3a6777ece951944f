import { findQuestion } from "@firn/client";
import type { TableDefinition } from "@firn/core";
import { openKernel, type Kernel } from "@firn/lake";
import { expect } from "vitest";
import { jsonBody } from "../src/answers/answer-form.ts";
import { openRelations } from "../src/relations.ts";
import { QuestionService } from "../src/questions/question-service.ts";
import { ResultCache } from "../src/questions/result-cache.ts";
import { Footers } from "../src/tables/footers.ts";
import { KernelPool } from "../src/tables/kernel-pool.ts";
import { TableCache } from "../src/tables/table-cache.ts";
import { aggregate, errorRow, rawRow, samples, type Sample } from "./sample-rows.ts";
import { health, smallLake, type Row, type SmallLake } from "./small-lake.ts";

export const [daily, weekly, monthly] = health.rollups.map((rollup) => rollup.table) as [
  TableDefinition,
  TableDefinition,
  TableDefinition,
];
export const old = samples("2024-11-20", 60, 3, 1);
const recent = samples("2025-12-20", 40, 3, 2).map((sample) => ({ ...sample, id: `r-${sample.id}` }));
export const all = [...old, ...recent];
export const errors = Array.from({ length: 200 }, (_, index) => errorRow(index));

export interface Body {
  readonly data: Row[];
  readonly meta: {
    readonly tables: Record<string, { snapshot_id: string | null }>;
    readonly complete_through: string | null;
    readonly unit?: unknown;
  };
  readonly page: { readonly cursor: string | null };
  readonly stats: {
    readonly rows: number;
    readonly files_read: number;
    readonly bytes_read: number;
    readonly cached: boolean;
    readonly cost_usd: number;
    readonly elapsed_ms: number;
  };
}

/** A filled lake and the service that answers from it, without HTTP, NATS or streams. */
export interface AnsweringLake {
  readonly lake: SmallLake;
  readonly kernel: Kernel;
  /** The first snapshot of the weekly table, which holds the older half. */
  readonly firstWeekly: string;
  /** Another service over the same lake, with a cache. */
  cachingService(): QuestionService;
  ask(name: string, parameters: Record<string, unknown>, of?: QuestionService): Promise<Body>;
  /** All pages of an answer. */
  askPages(name: string, parameters: Record<string, unknown>): Promise<Row[]>;
  close(): Promise<void>;
}

export async function answeringLake(): Promise<AnsweringLake> {
  const lake = await smallLake();
  let firstWeekly: string | undefined;
  for (const part of [old, recent]) {
    await lake.append(health.raw, part.map(rawRow));
    await lake.append(daily, aggregate(part, "day"));
    const table = await lake.append(weekly, aggregate(part, "week"));
    firstWeekly ??= String(table.metadata["current-snapshot-id"]);
    await lake.append(monthly, aggregate(part, "month"));
  }
  await lake.append(health.errors, errors.slice(0, 120));
  await lake.append(health.errors, errors.slice(120));
  const kernel = await openKernel({ memoryLimitMb: 512, threads: 1, tempDir: `${lake.folder}/spill-query` });
  const pool = await KernelPool.open(kernel, { concurrency: 2, waitingMax: 100, timeoutMs: 20_000 });
  const newService = (cacheValuesMax: number) =>
    new QuestionService({
      env: lake.env,
      tables: new TableCache(lake.env),
      pool,
      footers: new Footers(lake.env.store),
      results: new ResultCache(cacheValuesMax),
      datasets: new Map([["health", health]]),
      relations: openRelations(undefined),
      completeThrough: async () => "2026-06-01T00:00:00Z",
    });
  const service = newService(0);
  const ask: AnsweringLake["ask"] = async (name, parameters, of = service) =>
    JSON.parse(jsonBody(await of.ask(findQuestion("health", name)!, parameters))) as Body;
  return {
    lake,
    kernel,
    firstWeekly: firstWeekly!,
    cachingService: () => newService(1_000_000),
    ask,
    askPages: async (name, parameters) => {
      const rows: Row[] = [];
      let cursor: string | null = null;
      do {
        const page: Body = await ask(name, { ...parameters, ...(cursor && { cursor }) });
        expect(page.data.length).toBeLessThanOrEqual(Number(parameters["limit"] ?? Infinity));
        rows.push(...page.data);
        cursor = page.page.cursor;
      } while (cursor !== null);
      return rows;
    },
    close: async () => {
      pool.close();
      kernel.close();
      await lake.close();
    },
  };
}

/** A row as JSON has it. */
const seen = (row: Row): Row =>
  JSON.parse(JSON.stringify(row, (_, v: unknown) => (typeof v === "bigint" ? String(v) : v))) as Row;
const close = (rows: readonly Row[]) =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (typeof value === "number") return [name, Number(value.toPrecision(12))];
        return [
          name,
          /(_at|window_start|window_end|_time|_timestamp|start_date|end_date|processing_time)$/.test(name) &&
          String(value).includes("T")
            ? new Date(value as string).getTime()
            : value,
        ];
      }),
    ),
  );
export function same(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.length).toBe(expected.length);
  expect(close(actual)).toEqual(close(expected.map(seen)));
}
export const byColumns =
  (...columns: string[]) =>
  (one: Row, other: Row): number => {
    for (const column of columns) {
      const [a, b] = [one[column] as string, other[column] as string];
      if (a !== b) return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
    }
    return 0;
  };

/** By start_date, sample_id. */
export const order = (list: readonly Sample[]): Sample[] =>
  [...list].sort((a, b) =>
    a.at === b.at ? Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)) : a.at < b.at ? -1 : 1,
  );
