import { recordTablesOf, type Dataset, type TableDefinition } from "@firn/core";
import { isLakeError } from "@firn/lake";
import { Problem } from "@firn/service";
import { isStreamError } from "@firn/stream";
import { formatInstant } from "../parameters/instant.ts";
import type { PipelineParts } from "./pipeline.ts";
import { readIntakeEnds, readParked, readPipeline } from "./read-pipeline.ts";
import { advance, isWritten, settleTarget, type SettleTarget } from "./settling.ts";

/** How old a look may be for an answer to rest on it. */
const LOOK_AGE_MAX_MS = 500;
/** How long a question waits for a look, when there is none that is new enough. */
const WAIT_MAX_MS = 250;
/** Moments that are followed at the same time; while more wait, no new one is begun. */
const MOMENTS_MAX = 64;

interface Moment {
  readonly atMs: number;
  readonly target: SettleTarget;
}

/** Up to when tables are complete: looked at by lake, and only at lakes that are asked. */
export class Freshness {
  readonly #lakes = new Map<string, LakeFreshness>();

  constructor(parts: PipelineParts) {
    for (const dataset of parts.datasets) {
      const lake = new LakeFreshness(parts, dataset);
      for (const name of tableNames(dataset)) this.#lakes.set(name, lake);
    }
  }

  /**
   * ISO 8601, or null when it is not known, because the broker is away or nothing was ever followed to its end.
   * @param table `namespace.name`
   */
  async completeThrough(table: string): Promise<string | null> {
    return (await this.#lakes.get(table)?.completeThrough(table)) ?? null;
  }
}

/**
 * Up to when the tables of a lake are complete. At each look the ends of INTAKE are noted with the time; when everything up to them
 * is in a table, the table is complete through that time. Looks are taken only while questions come: a table never
 * loses what it had, so what was once true of it stays true of every later snapshot. Where the writer is parked that
 * may not hold (a table was rolled back or dropped), and nothing is known until it goes on.
 */
class LakeFreshness {
  readonly #parts: PipelineParts;
  readonly #dataset: Dataset;
  readonly #through = new Map<string, number>();
  #moments: Moment[] = [];
  #looking: Promise<void> | undefined;
  #lookedAtMs = -Infinity;

  constructor(parts: PipelineParts, dataset: Dataset) {
    this.#parts = parts;
    this.#dataset = dataset;
  }

  async completeThrough(table: string): Promise<string | null> {
    if (!this.#parts.link.isConnected()) return this.#known(table);
    if (performance.now() - this.#lookedAtMs > LOOK_AGE_MAX_MS) {
      const look = this.#look();
      // The first questions after a quiet time wait; while looks are at hand an answer never does.
      if (performance.now() - this.#lookedAtMs > 2 * LOOK_AGE_MAX_MS) await withinMs(look, WAIT_MAX_MS);
    }
    return this.#known(table);
  }

  #known(table: string): string | null {
    const atMs = this.#through.get(table);
    return atMs === undefined ? null : formatInstant(atMs * 1000);
  }

  #look(): Promise<void> {
    this.#looking ??= this.#takeLook().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #takeLook(): Promise<void> {
    const { link, tables } = this.#parts;
    const datasets = [this.#dataset];
    try {
      const open = link.streams();
      const parked = await readParked(open, datasets, link.shards);
      if (parked.some((one) => one.stage === "catalog-writer")) {
        this.#through.clear();
        this.#moments = [];
        return;
      }
      const atMs = Date.now();
      if (this.#moments.length < MOMENTS_MAX) {
        const ends = await readIntakeEnds(open, datasets, link.shards);
        this.#moments.push({ atMs, target: settleTarget(ends) });
      }
      const reading = await readPipeline(open, tables, datasets, link.shards);
      const moved = this.#moments.map((moment) => ({ ...moment, target: advance(moment.target, reading) }));
      for (const moment of moved) this.#note(moment);
      this.#moments = moved.filter((moment) => moment.target.datasets.some((one) => one.kind !== "settled"));
    } catch (error) {
      // An answer without this is still an answer.
      if (!(error instanceof Problem) && !isStreamError(error) && !isLakeError(error)) throw error;
    } finally {
      // Also after a failure: questions shall not wait for one look after the other.
      this.#lookedAtMs = performance.now();
    }
  }

  #note({ atMs, target }: Moment): void {
    for (const one of target.datasets) {
      if (!isWritten(one)) continue;
      for (const table of one.kind === "settled" ? tableNames(this.#dataset) : recordTableNames(this.#dataset))
        this.#through.set(table, Math.max(atMs, this.#through.get(table) ?? -Infinity));
    }
  }
}

function tableNames(dataset: Dataset): string[] {
  return [...recordTableNames(dataset), ...dataset.rollups.map((rollup) => nameOf(rollup.table))];
}

/** Tables that records go into as they are: with their dead letters, without what is computed from them. */
function recordTableNames(dataset: Dataset): string[] {
  return [...recordTablesOf(dataset).map((table) => table.definition), dataset.errors].map(nameOf);
}

const nameOf = ({ namespace, name }: TableDefinition): string => `${namespace}.${name}`;

async function withinMs(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
