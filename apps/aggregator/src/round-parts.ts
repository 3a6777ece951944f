import type { Dataset, RollupChange, RollupDefinition } from "@firn/core";
import type { KernelConnection, LakeEnvironment, Table } from "@firn/lake";

/** What every round is computed from and with. */
export interface RoundParts {
  readonly env: LakeEnvironment;
  readonly connection: KernelConnection;
  readonly dataset: Dataset;
  /** What is computed: the lane's. */
  readonly rollups: readonly RollupDefinition[];
  /** The rollup of days whose published rows are the source; undefined: raw is. */
  readonly days: RollupDefinition | undefined;
  readonly raw: Table;
  /** Snapshot of raw that the rows shall equal. */
  readonly snapshotId: bigint;
  /** The tables of `rollups` and `days` as they are published, by the rollup's name. */
  readonly published: ReadonlyMap<string, Table>;
  readonly defaultZone: string;
  readonly nowUs: number;
  /** Rows of raw that are worked on at once, about. */
  readonly rowsPerSlice: number;
  /** Names this round's files. */
  readonly roundId: string;
  /** Local folder for files before they are staged. */
  readonly folder: string;
}

export interface ComputedRound {
  readonly changes: RollupChange[];
  /** Windows of days. */
  readonly windows: number;
}

export function tableOf({ published }: RoundParts, rollup: RollupDefinition): Table {
  const table = published.get(rollup.name);
  if (!table) throw new Error(`the table of rollup ${rollup.name} was not loaded`);
  return table;
}

/** What a change of the table is computed on. */
export function stateOf({ metadata }: Table): RollupChange["onto"] {
  const snapshot = metadata["current-snapshot-id"];
  return { table: metadata["table-uuid"], snapshot: snapshot === undefined ? null : String(snapshot) };
}
