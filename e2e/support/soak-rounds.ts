/** Steady ingest with late data and corrections into a lake in one process, and what it makes of the tables. */
import { currentFiles, currentSnapshot, type Table } from "@firn/lake";
import { createHash } from "node:crypto";
import type { InProcessLake } from "./in-process-lake.ts";

const users = 20;
const types = ["heartRate", "stepCount"] as const;
const units = { heartRate: "count/min", stepCount: "count" } as const;
const perRound = 60;
const daysBack = 6;
const dayMs = 86_400_000;
const endMs = Date.UTC(2026, 5, 1);

/** A number in [0, 1) of two numbers, the same each time. */
function drawn(round: number, n: number): number {
  return createHash("md5").update(`${round}/${n}`).digest().readUInt32BE() / 2 ** 32;
}

/** One round: mostly of today, a fifth late by up to six days, and one correction of an earlier round. */
export async function sendRound(lake: InProcessLake, round: number): Promise<void> {
  const byUser = new Map<string, object[]>();
  for (let slot = 0; slot < perRound; slot++) {
    const corrects = round > 0 && slot === 0;
    const of = corrects ? Math.floor(drawn(round, slot) * round) : round;
    // The first sample of a round is a correction: what is corrected is another one.
    const n = corrects ? slot + 2 : slot;
    const type = types[n % types.length]!;
    const back = n % 5 < 2 ? Math.floor(drawn(of, n) * daysBack) * dayMs : 0;
    const at = new Date(endMs - back - Math.floor(drawn(of, n + 1_000) * dayMs)).toISOString();
    const value = corrects ? 130 + (round % 50) : 60 + n;
    const user = `user-${n % users}`;
    const samples = byUser.get(user) ?? [];
    samples.push({ id: `${of}-${n}`, type, value, unit: units[type], startDate: at, endDate: at });
    byUser.set(user, samples);
  }
  await lake.send([...byUser].map(([userId, samples]) => ({ deviceId: "phone", userId, samples })));
}

export interface TableShape {
  readonly table: string;
  readonly partitions: number;
  readonly dataFiles: number;
  readonly deleteFiles: number;
  readonly manifests: number;
  readonly metadataBytes: number;
  readonly snapshots: number;
}

export async function tableShapes(lake: InProcessLake): Promise<TableShape[]> {
  const { errors, raw, rollups } = lake.dataset;
  const definitions = [raw, errors, ...rollups.map((rollup) => rollup.table)];
  return Promise.all(definitions.map(async (definition) => shapeOf(lake, await lake.table(definition))));
}

async function shapeOf(lake: InProcessLake, table: Table): Promise<TableShape> {
  const { data, deletes } = await currentFiles(lake.env, table);
  const text = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  const partitions = new Set(data.map((file) => JSON.stringify([file.specId, file.partition], text)));
  const summary: Readonly<Record<string, string>> = currentSnapshot(table.metadata)?.summary ?? {};
  return {
    table: table.identifier.name,
    partitions: partitions.size,
    dataFiles: data.length,
    deleteFiles: deletes.length,
    manifests: Number(summary["manifests-created"] ?? 0) + Number(summary["manifests-kept"] ?? 0),
    metadataBytes: JSON.stringify(table.metadata, text).length,
    snapshots: table.metadata.snapshots.length,
  };
}

/** What a table under steady ingest has at most; the lines of what is beyond it. */
export function beyondBounds(shape: TableShape): string[] {
  const { dataFiles, deleteFiles, manifests, metadataBytes, partitions, table } = shape;
  const bounds: [string, number, number][] = [
    ["data files", dataFiles, 8 * partitions + 64],
    ["delete files", deleteFiles, dataFiles + 64],
    ["manifests", manifests, 150],
    ["bytes of metadata", metadataBytes, 8 * 1024 ** 2],
  ];
  return bounds
    .filter(([, found, most]) => found > most)
    .map(([what, found, most]) => `${table}: ${found} ${what}, at most ${most}`);
}
