// The engines of the matrix, each started at its first use: what writers and readers ask.
import { join } from "node:path";
import { startFlink } from "../../tools/engines/flink.mjs";
import { startSpark } from "../../tools/engines/spark.mjs";
import { startStatementProcess } from "../../tools/engines/statement-process.mjs";
import { startTrino } from "../../tools/engines/trino.mjs";

const sessions = join(import.meta.dirname, "sessions");
const runTs = join(import.meta.dirname, "..", "..", "tools", "run-ts.mjs");

/** JVMs: minutes to fetch, half a minute to start, a gigabyte each. */
export const HEAVY = ["spark", "trino", "flink"];

/** @param lake {catalogUri, warehouse, python, chdbFolder, locate} */
export function openEngines(lake) {
  const opened = new Map();
  return {
    get(name) {
      if (!opened.has(name)) opened.set(name, starts[name](lake));
      return opened.get(name);
    },
    async close() {
      const all = await Promise.allSettled(opened.values());
      await Promise.allSettled(all.map(({ value }) => value?.stop()));
    },
  };
}

const starts = {
  spark: ({ catalogUri }) => startSpark({ catalogUri }),
  trino: ({ catalogUri }) => startTrino({ catalogUri }),
  flink: ({ catalogUri }) => startFlink({ catalogUri }),
  async duckdb({ python, catalogUri }) {
    const { ask, stop } = await startStatementProcess("DuckDB", python, [
      join(sessions, "duckdb_session.py"),
      catalogUri,
    ]);
    return { sql: ask, stop };
  },
  async chdb({ chdbFolder, warehouse, locate }) {
    const args = [join(sessions, "chdb-session.mjs"), chdbFolder, warehouse];
    const { ask, stop } = await startStatementProcess("chDB", process.execPath, args);
    return { sql: ask, stop, locate };
  },
  async pyiceberg({ python, catalogUri }) {
    const script = join(sessions, "pyiceberg_session.py");
    return commands(await startStatementProcess("PyIceberg", python, [script, catalogUri]));
  },
  async firn({ catalogUri, warehouse }) {
    const args = [runTs, join(sessions, "firn-session.ts"), catalogUri, warehouse];
    return commands(await startStatementProcess("Firn", process.execPath, args));
  },
};

/** Sessions that take commands instead of SQL. */
function commands({ ask, stop }) {
  return { ask: (command) => ask(JSON.stringify(command)), stop };
}
