import { recordTablesOf, type Dataset, type RecordTable } from "@firn/core";
import type { MarketRow, MarketSender } from "@firn/feeds";
import {
  forgetMirrorChanges,
  mirrorChannel,
  nextMirrorChanges,
  type MirrorChange,
  type RelationalDatabase,
} from "@firn/relational";
import { repeatTurns, type Logger, type Stage } from "@firn/service";
import { setTimeout as sleep } from "node:timers/promises";

const CHANGES_AT_ONCE = 1_000;
/** A notification may be lost with its connection: it is looked anyway. */
const LOOK_AGAIN_MS = 10_000;

export interface MirrorOptions {
  readonly database: RelationalDatabase;
  readonly sender: MarketSender;
  readonly dataset: Dataset;
  readonly logger: Logger;
}

/**
 * Carries changes of mirrored relations over to their Iceberg tables, in order: sent first, forgotten after ingest has
 * them on disk. What is sent twice is a duplicate.
 */
export class Mirror implements Stage {
  readonly #options: MirrorOptions;
  readonly #tables: ReadonlyMap<string, RecordTable>;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#tables = new Map(recordTablesOf(options.dataset).map((table) => [table.definition.name, table]));
  }

  run(signal: AbortSignal): Promise<void> {
    return repeatTurns(signal, {
      turn: (ending, progressed) => this.#turn(ending, progressed),
      getsOver: () => true,
      logger: this.#options.logger,
      fields: { stage: "mirror" },
    });
  }

  async #turn(signal: AbortSignal, progressed: () => void): Promise<void> {
    let wake = () => {};
    const unlisten = await this.#options.database.listen(mirrorChannel, () => wake());
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if ((await this.carry(signal)) === CHANGES_AT_ONCE) continue;
        progressed();
        const timer = new AbortController();
        const late = sleep(LOOK_AGAIN_MS, undefined, { signal: AbortSignal.any([signal, timer.signal]) });
        await Promise.race([woken, late.catch(() => undefined)]);
        timer.abort();
      }
    } finally {
      unlisten();
    }
  }

  /** Carries over the oldest changes; answers how many. */
  async carry(signal: AbortSignal): Promise<number> {
    const { database, logger, sender } = this.#options;
    const changes = await nextMirrorChanges(database, CHANGES_AT_ONCE);
    for (const run of runsOf(changes)) {
      const { relation, is_delete } = run[0]!;
      const table = this.#tables.get(relation);
      if (table === undefined) continue;
      const rows = run.map((change) => rowOf(change, table));
      if (is_delete) await sender.remove(relation, rows, signal);
      else await sender.send(relation, rows, signal);
    }
    if (changes.length > 0) {
      await forgetMirrorChanges(database, changes);
      logger.info("relations mirrored", { changes: changes.length });
    }
    return changes.length;
  }
}

/** Neighbouring changes of one kind go together. */
function runsOf(changes: readonly MirrorChange[]): MirrorChange[][] {
  const runs: MirrorChange[][] = [];
  for (const change of changes) {
    const last = runs.at(-1)?.[0];
    if (last?.relation === change.relation && last.is_delete === change.is_delete) runs.at(-1)!.push(change);
    else runs.push([change]);
  }
  return runs;
}

/** The columns that the table has of a relation's row; of one that goes its identity. */
function rowOf({ content, is_delete }: MirrorChange, { definition }: RecordTable): MarketRow {
  const names = is_delete ? definition.identity : definition.columns.map(({ name }) => name);
  return Object.fromEntries(names.filter((name) => name in content).map((name) => [name, content[name] ?? null]));
}
