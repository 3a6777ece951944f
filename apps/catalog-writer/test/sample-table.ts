/** A table of health samples in a lake of this process, and what other engines may do to it. */
import { createHealthDataset } from "@firn/datasets";
import {
  commitChange,
  type KernelConnection,
  type LakeEnvironment,
  loadTable,
  stageRows,
  type StagedUpsert,
  stageUpsert,
  type Table,
} from "@firn/lake";
import { type LocalLake, openLocalLake } from "@firn/testing";
import { makeTable } from "../src/tables.ts";

export const dataset = createHealthDataset();
const { raw, identity, content } = dataset;
export const shape = { definition: raw, identity, content };

/** What samples are like, each by its number n. */
export interface SampleLook {
  /** They are of so many days, in turns. */
  readonly days: number;
  /** Of the samples of the first day. */
  readonly instant: string;
  readonly timezone: string;
  /** Expression over `n` and `instant`. */
  readonly localDateSql: string;
}

export class SampleTable {
  readonly #lake: LocalLake;
  readonly #look: SampleLook;
  /** As the last change here left it. */
  current!: Table;

  private constructor(lake: LocalLake, look: SampleLook) {
    this.#lake = lake;
    this.#look = look;
  }

  /** @param name of its folder */
  static async open(name: string, look: SampleLook): Promise<SampleTable> {
    const table = new SampleTable(await openLocalLake(name), look);
    await table.make();
    return table;
  }

  get env(): LakeEnvironment {
    return this.#lake.env;
  }

  get connection(): KernelConnection {
    return this.#lake.connection;
  }

  /** For what else a test keeps. */
  get folder(): string {
    return this.#lake.folder;
  }

  async close(): Promise<void> {
    await this.#lake.close();
  }

  async make(): Promise<void> {
    this.current = await makeTable(this.env, raw, "lake");
  }

  /** Rows of the samples with these numbers; `version` is their content. */
  rowsSql(numbers: string, version = 0): string {
    const { days, instant, localDateSql, timezone } = this.#look;
    return `SELECT 'phone' AS device_id, 'user-' || n % 7 AS user_id, 'sample-' || n AS sample_id, 'steps' AS data_type,
      n + ${version} / 2 AS value, 'count' AS unit, instant AS start_date, instant AS end_date, 'app' AS source_bundle,
      true AS is_synced, '1' AS app_version, 0 AS timezone_offset, NULL::MAP(VARCHAR, VARCHAR) AS metadata,
      instant AS created_at, instant AS payload_timestamp, instant AS processing_time, '${timezone}' AS timezone,
      ${localDateSql} AS local_date
    FROM (SELECT n, TIMESTAMPTZ '${instant}' + to_days((n % ${days})::INTEGER) AS instant FROM ${numbers} AS numbers(n))`;
  }

  async append(numbers: string, version?: number): Promise<void> {
    const addedData = await this.stage(numbers, version);
    await this.commit({ operation: "append", addedData });
  }

  stage(numbers: string, version?: number): ReturnType<typeof stageRows> {
    const { env, current: table } = this;
    return stageRows(this.connection, { env, table, relationSql: this.rowsSql(numbers, version) });
  }

  /** Replaces samples and deletes others, by position in files of many rows. */
  async upsert(replaced: string, deleted: string, version?: number): Promise<StagedUpsert> {
    const upsert = await stageUpsert(this.connection, {
      env: this.env,
      table: this.current,
      rowsSql: this.rowsSql(replaced, version),
      deleteKeysSql: `SELECT ${identity.join(", ")} FROM (${this.rowsSql(deleted)})`,
      keyColumns: identity,
      copyOnWriteRows: 0,
    });
    await this.commit({ operation: "overwrite", ...upsert });
    return upsert;
  }

  async commit(change: Parameters<typeof commitChange>[2]): Promise<void> {
    await commitChange(this.env, this.current, change);
    await this.reload();
  }

  async reload(): Promise<void> {
    this.current = await loadTable(this.env, this.current.identifier);
  }
}
