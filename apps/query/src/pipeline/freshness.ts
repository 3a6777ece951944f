import { recordTablesOf, type Dataset } from "@firn/core";
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

/**
 * Up to when tables are complete. At each look the ends of INTAKE are noted with the time; when everything up to them
 * is in a table, the table is complete through that time. Looks are taken only while questions come: a table never
 * loses what it had, so what was once true of it stays true of every later snapshot. Where the writer is parked that
 * may not hold (a table was rolled back or dropped), and nothing is known until it goes on.
 */
export class Freshness {
  readonly #parts: PipelineParts;
  readonly #through = new Map<string, number>();
  #moments: Moment[] = [];
  #looking: Promise<void> | undefined;
  #lookedAtMs = -Infinity;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
  }

  /** ISO 8601, or null when it is not known, because the broker is away or nothing was ever followed to its end. */
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
    const { link, tables, datasets } = this.#parts;
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
      for (const moment of moved) this.#note(moment, datasets);
      this.#moments = moved.filter((moment) => moment.target.datasets.some((one) => one.kind !== "settled"));
    } catch (error) {
      // An answer without this is still an answer.
      if (!(error instanceof Problem) && !isStreamError(error) && !isLakeError(error)) throw error;
    } finally {
      // Also after a failure: questions shall not wait for one look after the other.
      this.#lookedAtMs = performance.now();
    }
  }

  #note({ atMs, target }: Moment, datasets: readonly Dataset[]): void {
    for (const one of target.datasets) {
      const dataset = datasets.find((candidate) => candidate.name === one.dataset);
      if (dataset === undefined || !isWritten(one)) continue;
      const rollups = one.kind === "settled" ? dataset.rollups.map((rollup) => rollup.table) : [];
      const records = recordTablesOf(dataset).map((table) => table.definition);
      for (const { namespace, name } of [...records, dataset.errors, ...rollups]) {
        const table = `${namespace}.${name}`;
        this.#through.set(table, Math.max(atMs, this.#through.get(table) ?? -Infinity));
      }
    }
  }
}

async function withinMs(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
