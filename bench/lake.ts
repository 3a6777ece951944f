/**
 * libs/lake beside PyIceberg and Spark: the same data on the same machine in the same run, through the same catalog.
 *
 *   npm run build
 *   node tools/run-ts.mjs bench/lake.ts [--only append,upsert,plan,compact,commit] [--no-pyiceberg] [--spark | --no-spark]
 *   node tools/run-ts.mjs bench/lake.ts --full
 *
 * The short form takes some minutes. `--full` is upserts into 1, 10 and 100 million rows, plans at 1,000, 10,000 and
 * 100,000 files, and commits into 1, 10 and 100 million rows: an hour at least (about 7 µs of CPU a row of the large
 * tables), and some GB of a temporary folder. Sizes have flags of their own; `--upsert` lists ROWS:INTO. A step of
 * PyIceberg or Spark that takes longer than --limit-seconds is stopped, and what it had cost is said. Firn syncs its
 * files before it commits, the others do not.
 *
 * Spark is there where its jars were fetched before (npm run test:matrix does); --spark fetches them (330 MB, by Maven,
 * and a JDK of 17 or newer runs them), --no-spark leaves it out. It appends, merges and compacts in one session on two
 * cores; the start of the JVM and one piece of work of each kind before the counted ones are not counted. It plans
 * nothing here: a plan of its own is part of a statement, whose parsing, analysis and job would be counted too.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { compareAppends } from "./lake/append.ts";
import { compareCompaction } from "./lake/compact.ts";
import { otherEngines } from "./lake/other-engines.ts";
import { comparePlans } from "./lake/plan.ts";
import { openSetting } from "./lake/setting.ts";
import { compareUpserts } from "./lake/upsert.ts";
import { measureCommits } from "./load/measured-commits.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "append,upsert,plan,compact,commit" },
    full: { type: "boolean", default: false },
    append: { type: "string", default: "1000000" },
    upsert: { type: "string" },
    files: { type: "string" },
    compact: { type: "string", default: "1000000" },
    commit: { type: "string" },
    rounds: { type: "string", default: "3" },
    "no-pyiceberg": { type: "boolean", default: false },
    spark: { type: "boolean" },
    "no-spark": { type: "boolean", default: false },
    "limit-seconds": { type: "string", default: "120" },
    threads: { type: "string", default: "1" },
    "memory-mb": { type: "string", default: "1024" },
  },
});
const short = { upsert: "2000:1000000,100000:1000000", files: "1000,10000", commit: "1000000" };
const full = {
  upsert: "100000:1000000,100000:10000000,1000000:10000000,100000:100000000",
  files: "1000,10000,100000",
  commit: "1000000,10000000,100000000",
};
const sizes = { ...(options.full ? full : short), ...options };
const list = (text: string): string[] => text.split(",").filter((part) => part !== "");
const only = new Set(list(options.only));

if (!existsSync("apps/catalog/dist/main.js")) throw new Error("the catalog is not built: npm run build");
const head = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
console.log(`${cpus()[0]?.model ?? "unknown"} × ${cpus().length}, Node ${process.version}, commit ${head}`);
console.log(`load before: ${loadavg()[0]!.toFixed(1)}`);

const setting = await openSetting({ memoryLimitMb: Number(options["memory-mb"]), threads: Number(options.threads) });
const others = otherEngines(setting, {
  python: !options["no-pyiceberg"],
  spark: options["no-spark"] ? false : options.spark,
  limitMs: Number(options["limit-seconds"]) * 1000,
});
try {
  if (only.has("append")) await compareAppends(setting, others, Number(options.append), Number(options.rounds));
  if (only.has("upsert")) await compareUpserts(setting, others, list(sizes.upsert).map(upsertSize));
  if (only.has("plan")) await comparePlans(setting, others.python, list(sizes.files).map(Number));
  if (only.has("compact")) await compareCompaction(setting, others, Number(options.compact));
} finally {
  await others.spark?.stop();
  await setting.close();
}
if (only.has("commit")) {
  console.log("\ncommits of the catalog-writer, by its key index");
  for (const rows of list(sizes.commit).map(Number))
    await measureCommits({ rows, batchRows: 100_000, rounds: 12, rowsPerDay: 100_000, memoryLimitMb: 224 });
}
console.log(`\nload after: ${loadavg()[0]!.toFixed(1)}`);

function upsertSize(text: string): { upsertRows: number; tableRows: number } {
  const [upsertRows, tableRows] = text.split(":").map(Number);
  if (!upsertRows || !tableRows) throw new Error(`--upsert lists ROWS:INTO, not ${text}`);
  return { upsertRows, tableRows };
}
