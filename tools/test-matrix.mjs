// `npm run test:matrix`: every engine writes, every engine reads, feature by feature (e2e/matrix), on a lake of its own.
// Prints the matrix; the last line is `N passed, N failed`. Options: --light (what npm run test:interop runs: no JVMs),
// --incremental (only what Spark's incremental reads see of raw; a run of all engines has it too),
// --writers Spark,Firn --readers … --features "plain,…" (a part), --docs (puts what was found into docs/interop.md and
// docs/interop.json). Spark, Trino and Flink are fetched once into ~/.cache/firn: 1.4 GB to fetch, 1.1 GB to keep.
import { join } from "node:path";
import { startLake } from "../bench/load/lake.mjs";
import { features } from "../e2e/matrix/features/index.mjs";
import { readers } from "../e2e/matrix/readers/index.mjs";
import { writeDocs } from "../e2e/matrix/docs.mjs";
import { printMatrix } from "../e2e/matrix/print.mjs";
import { runMatrix } from "../e2e/matrix/run.mjs";
import { incrementalReads } from "../e2e/matrix/incremental.mjs";
import { startSpark } from "./engines/spark.mjs";
import { writers } from "../e2e/matrix/writers/index.mjs";
import { appNames, bootstrap } from "./bootstrap.mjs";
import { installReaders } from "./interop-packages.mjs";
import { scriptOptions } from "./script-options.mjs";

const values = scriptOptions({
  incremental: { type: "boolean", default: false },
  light: { type: "boolean", default: false },
  docs: { type: "boolean", default: false },
  writers: { type: "string" },
  readers: { type: "string" },
  features: { type: "string" },
});

const part = {
  writers: chosen(writers, values.writers),
  readers: chosen(readers, values.readers),
  features: chosen(features, values.features),
};

bootstrap(appNames());
const packages = installReaders();
// Merging would work the position deletes in before the readers see them.
const lake = await startLake({ name: "matrix", env: { FIRN_MAINTENANCE_INTERVAL_MS: "86400000" } });
let cells = [];
const reads = [];
try {
  if (!values.light && (values.incremental || values.writers === undefined)) await readIncrementally();
  if (!values.incremental) cells = await cross();
} finally {
  await lake.stop();
}
printMatrix(cells);
for (const { name, ok, detail } of reads)
  console.log(`  ${ok ? "✓" : "✗"} Spark, incremental: ${name}${ok ? "" : `: ${detail}`}`);
const all = [...cells.map(({ state }) => state !== "failed"), ...reads.map(({ ok }) => ok)];
const failed = all.filter((ok) => !ok).length;
console.log(`${all.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && all.length > 0 ? 0 : 1;

function cross() {
  return runMatrix({
    catalogUri: lake.endpoints.catalog,
    warehouse: join(lake.dir, "warehouse"),
    packages,
    ...part,
    heavy: !values.light,
    report: (cell) => {
      const { writer, reader, feature, state, detail } = cell;
      console.error(
        `${state} ${writer} → ${reader ?? "(writing)"} ${feature}${state === "failed" ? `: ${detail}` : ""}`,
      );
      if (values.docs) writeDocs([cell]); // at once: a run may be broken off
    },
  });
}

async function readIncrementally() {
  const spark = await startSpark({ catalogUri: lake.endpoints.catalog });
  try {
    await incrementalReads(lake, spark, (name, ok, detail) => reads.push({ name, ok, detail }));
  } finally {
    await spark.stop();
  }
}

function chosen(all, names) {
  if (names === undefined) return all;
  const wanted = names.split(",");
  const unknown = wanted.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${all.map(({ name }) => name).join(", ")}`);
  return all.filter(({ name }) => wanted.includes(name));
}
