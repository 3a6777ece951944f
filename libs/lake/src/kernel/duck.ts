import { mkdir } from "node:fs/promises";
import {
  DuckDBDataChunk,
  DuckDBInstance,
  DuckDBTypeId,
  INTEGER,
  JSDuckDBValueConverter,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBValueConverter,
} from "@duckdb/node-api";
import { keepTextExact } from "./exact-text.ts";
import { StagingFolders } from "./staging-folders.ts";

/**
 * The columnar kernel: one DuckDB instance in memory, and connections to it.
 *
 * Instances autoload and fetch nothing, keep UTC as their time zone and spill to `tempDir` only. `threads: 1` with
 * statements side by side on several connections beats more threads in one statement. A connection runs one statement
 * at a time; calls on it queue in their order.
 */
export interface Kernel {
  connect(): Promise<KernelConnection>;
  /** Frees the instance. Close the connections first. */
  close(): void;
}

export interface KernelOptions {
  readonly memoryLimitMb: number;
  readonly threads: number;
  /**
   * Where a statement spills that does not fit into the memory limit, and where files are written that a store then
   * takes. Made when it is missing; for one kernel at a time.
   */
  readonly tempDir: string;
}

/**
 * A value as `rows` gives it: BIGINT and wider as a number when it is a safe integer, else a bigint; DATE as days since
 * 1970-01-01; TIME as microseconds since midnight; every TIMESTAMP as microseconds since the epoch (nanosecond ones
 * rounded down); DECIMAL as a double; BLOB as bytes; LIST as an array; STRUCT as an object; MAP as an array of
 * `{ key, value }`; UUID as text.
 */
export type KernelValue = unknown;
export type KernelRow = Record<string, KernelValue>;

export interface KernelConnection {
  /** Folders for finished files that a store then takes. */
  readonly staging: StagingFolders;
  /** Threads that a statement may use. */
  readonly threads: number;
  /** Runs one or several statements for their effect. */
  run(sql: string): Promise<void>;
  /** The rows of the last statement, all of them in memory. */
  rows<T extends object = KernelRow>(sql: string): Promise<T[]>;
  /** The same, column by column: cheaper where rows are not needed as objects. */
  columns(sql: string): Promise<KernelColumns>;
  /** The first value of the first row; undefined when there is no row. */
  value<T = KernelValue>(sql: string): Promise<T | undefined>;
  /**
   * The result chunk by chunk (2,048 rows), as DuckDB makes it: memory does not grow with the result. Other statements of
   * the connection wait until the loop is left: one that is awaited inside of it would wait for ever.
   */
  chunks(sql: string): AsyncIterable<KernelChunk>;
  /** Appends integers to a temporary table of one INTEGER column, in this order. Far faster than INSERT. */
  appendIntegers(temporaryTable: string, values: Int32Array): Promise<void>;
  /** Asks the running statement to stop; it then fails. */
  interrupt(): void;
  close(): void;
}

/** A whole result: one array of values a column, in the order of the SELECT. */
export interface KernelColumns {
  readonly rowCount: number;
  readonly values: KernelValue[][];
}

/** Some rows of a result, column by column. */
export interface KernelChunk {
  readonly rowCount: number;
  readonly columnNames: readonly string[];
  /** The values of one column, as `KernelValue` says. */
  column(index: number): KernelValue[];
  readonly data: DuckDBDataChunk;
}

/**
 * A partitioned COPY holds rows back until it has this many, at first one vector per column and partition: with the
 * default of 524,288 a batch of 100,000 rows for 720 partitions takes over 300 MB. Rows come sorted by partition here,
 * so few partitions are open at a time, and flushing early costs nothing.
 */
const partitionedRowsHeld = 8_192;
/** An open file costs some hundred kilobytes, and of sorted rows only the last one gets more. */
const openFilesMax = 8;

const sessionSettings = `SET TimeZone = 'UTC'; SET enable_progress_bar = false;
  SET partitioned_write_flush_threshold = ${partitionedRowsHeld}; SET partitioned_write_max_open_files = ${openFilesMax};`;

/** Rows that a data chunk of DuckDB holds at most. */
const chunkRowsMax = 2_048;

/** Opens an instance in memory. */
export async function openKernel(options: KernelOptions): Promise<Kernel> {
  keepTextExact();
  await mkdir(options.tempDir, { recursive: true });
  const staging = new StagingFolders(options.tempDir);
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: `${options.memoryLimitMb}MiB`,
    temp_directory: options.tempDir,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // The operating system caches local files already; a second copy here doubled the memory of a writer.
    enable_external_file_cache: "false",
    // What a statement has freed goes back to the operating system soon after: a quarter less memory of a writer.
    allocator_background_threads: "true",
  });
  return {
    async connect() {
      const connection = await instance.connect();
      await connection.run(sessionSettings);
      return kernelConnection(connection, options.threads, staging);
    },
    close: () => {
      instance.closeSync();
      staging.close();
    },
  };
}

function kernelConnection(connection: DuckDBConnection, threads: number, staging: StagingFolders): KernelConnection {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work, work);
    last = result;
    return result;
  };
  /** Waits for the statements before; those after it wait until the answered function is called. */
  const takeTurn = async (): Promise<() => void> => {
    const before = last;
    const { promise, resolve } = deferred();
    last = promise;
    await before.catch(() => undefined);
    return resolve;
  };
  const rows = async <T extends object>(sql: string): Promise<T[]> => {
    const result = await connection.run(sql);
    return (await result.convertRowObjects(kernelValueConverter)) as T[];
  };
  return {
    staging,
    threads,
    run: (sql) => inTurn(async () => void (await connection.run(sql))),
    rows: (sql) => inTurn(() => rows(sql)),
    columns: (sql) =>
      inTurn(async () => {
        const result = await connection.run(sql);
        return { rowCount: Number(result.rowCount), values: await result.convertColumns(kernelValueConverter) };
      }),
    value: async <T>(sql: string) => {
      const [row] = await inTurn(() => rows(sql));
      return row === undefined ? undefined : (Object.values(row)[0] as T);
    },
    chunks: (sql) => chunksOf(connection, sql, takeTurn),
    appendIntegers: (table, values) => inTurn(() => appendIntegers(connection, table, values)),
    interrupt: () => connection.interrupt(),
    close: () => connection.closeSync(),
  };
}

async function appendIntegers(connection: DuckDBConnection, table: string, values: Int32Array): Promise<void> {
  const appender = await connection.createAppender(table, "main", "temp");
  try {
    for (let from = 0; from < values.length; from += chunkRowsMax) {
      const part = Array.from(values.subarray(from, from + chunkRowsMax));
      const chunk = DuckDBDataChunk.create([INTEGER], part.length);
      chunk.setColumnValues(0, part);
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

/** Another statement would end the result early, and silently: it has its turn when the last chunk was taken. */
async function* chunksOf(
  connection: DuckDBConnection,
  sql: string,
  takeTurn: () => Promise<() => void>,
): AsyncGenerator<KernelChunk> {
  const endTurn = await takeTurn();
  try {
    const result = await connection.stream(sql);
    const columnNames = result.columnNames();
    for (;;) {
      const data = await result.fetchChunk();
      if (data === null || data.rowCount === 0) return;
      yield {
        rowCount: data.rowCount,
        columnNames,
        column: (index) => data.convertColumnValues(index, kernelValueConverter),
        data,
      };
    }
  } finally {
    endTurn();
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => void (resolve = done));
  return { promise, resolve };
}

const safeNumber = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
const integerFromValue = (value: DuckDBValue) => (typeof value === "bigint" ? safeNumber(value) : Number(value));

const microsByTypeId: Partial<Record<DuckDBTypeId, (value: never) => bigint>> = {
  [DuckDBTypeId.TIMESTAMP]: (value: { micros: bigint }) => value.micros,
  [DuckDBTypeId.TIMESTAMP_TZ]: (value: { micros: bigint }) => value.micros,
  [DuckDBTypeId.TIMESTAMP_S]: (value: { seconds: bigint }) => value.seconds * 1_000_000n,
  [DuckDBTypeId.TIMESTAMP_MS]: (value: { millis: bigint }) => value.millis * 1_000n,
  [DuckDBTypeId.TIMESTAMP_NS]: (value: { nanos: bigint }) => floorDivide(value.nanos, 1_000n),
  [DuckDBTypeId.TIME]: (value: { micros: bigint }) => value.micros,
};

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const integerTypeIds = new Set<DuckDBTypeId>([DuckDBTypeId.BIGINT, DuckDBTypeId.UBIGINT, DuckDBTypeId.HUGEINT]);

/** DuckDB's value → `KernelValue`. */
const kernelValueConverter: DuckDBValueConverter<KernelValue> = (value, type: DuckDBType, converter) => {
  if (value === null || value === undefined) return null;
  if (integerTypeIds.has(type.typeId)) return integerFromValue(value);
  const micros = microsByTypeId[type.typeId];
  if (micros !== undefined) return safeNumber(micros(value as never));
  if (type.typeId === DuckDBTypeId.DATE) return (value as unknown as { days: number }).days;
  return JSDuckDBValueConverter(value, type, converter as never);
};

/** Whether a statement failed for want of memory: the same work in smaller parts may fit. */
export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Out of Memory Error");
}
