import { sqlString, type KernelConnection, type LiveFile, type ObjectStore } from "@firn/lake";

/** Compressed bytes of one column in one row group, and the values that lie between. */
export interface ColumnChunk {
  readonly rowGroup: number;
  readonly fieldId: number;
  readonly bytes: number;
  /** As DuckDB prints the statistics of the footer; null where there are none. */
  readonly min: string | null;
  readonly max: string | null;
  /** The same in microseconds, for instants. */
  readonly minUs: number | null;
  readonly maxUs: number | null;
}

const FILES_KEPT_MAX = 20_000;
/** Footers of more files than this are not read for one question: the sizes in the manifest have to do. */
const FILES_READ_MAX = 64;

/** Footers of data files, which never change; the oldest go first when there are too many. */
export class Footers {
  readonly #store: Pick<ObjectStore, "localPath">;
  readonly #kept = new Map<string, readonly ColumnChunk[]>();

  constructor(store: Pick<ObjectStore, "localPath">) {
    this.#store = store;
  }

  /** The column chunks of the files; files that were left out because they are too many are missing. */
  async read(
    connection: KernelConnection,
    files: readonly LiveFile[],
  ): Promise<ReadonlyMap<string, readonly ColumnChunk[]>> {
    const missing = files.filter((file) => !this.#kept.has(file.filePath)).slice(0, FILES_READ_MAX);
    for (const file of missing) this.#keep(file.filePath, await this.#readOne(connection, file));
    const found = new Map<string, readonly ColumnChunk[]>();
    for (const file of files) {
      const chunks = this.#kept.get(file.filePath);
      if (chunks !== undefined) found.set(file.filePath, chunks);
    }
    return found;
  }

  async #readOne(connection: KernelConnection, file: LiveFile): Promise<ColumnChunk[]> {
    const path = sqlString(await this.#store.localPath(file.filePath, file.fileSizeBytes));
    // Leaves of the schema are numbered in its order; a group (the root, a map and its entries) has children.
    return connection.rows<ColumnChunkRow>(`
      WITH leaves AS (
        SELECT row_number() OVER (ORDER BY place) - 1 AS column_id, field_id FROM (
          SELECT row_number() OVER () AS place, field_id, num_children FROM parquet_schema(${path})
        ) WHERE coalesce(num_children, 0) = 0)
      SELECT m.row_group_id AS "rowGroup", l.field_id AS "fieldId", m.total_compressed_size AS "bytes",
        m.stats_min_value AS "min", m.stats_max_value AS "max",
        epoch_us(TRY_CAST(m.stats_min_value AS TIMESTAMPTZ)) AS "minUs",
        epoch_us(TRY_CAST(m.stats_max_value AS TIMESTAMPTZ)) AS "maxUs"
      FROM parquet_metadata(${path}) AS m JOIN leaves AS l ON l.column_id = m.column_id`);
  }

  #keep(path: string, chunks: readonly ColumnChunk[]): void {
    this.#kept.set(path, chunks);
    if (this.#kept.size <= FILES_KEPT_MAX) return;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}

type ColumnChunkRow = ColumnChunk;
