// Runs the matrix on a lake that runs.
import { whyNoTrino } from "../../tools/engines/trino.mjs";
import { cross, locateTable } from "./cross.mjs";
import { HEAVY, openEngines } from "./engines.mjs";
import { features as allFeatures } from "./features/index.mjs";
import { readers as allReaders } from "./readers/index.mjs";
import { writers as allWriters } from "./writers/index.mjs";

/**
 * @param packages {python, chdbFolder} of tools/interop-packages.mjs
 * @param heavy whether engines that need a JVM take part
 * @param report called with each cell as it is known
 * @returns cells as cross.mjs reports them
 */
export async function runMatrix({
  catalogUri,
  warehouse,
  packages,
  writers = allWriters,
  readers = allReaders,
  features = allFeatures,
  heavy,
  report = () => undefined,
}) {
  const noTrino = heavy ? whyNoTrino() : undefined;
  if (noTrino !== undefined) console.error(`Trino is left out: ${noTrino}`);
  const takesPart = ({ engine }) =>
    !(HEAVY.includes(engine) && !heavy) && !(engine === "trino" && noTrino !== undefined);
  const locate = (table) => locateTable(catalogUri, table);
  const engines = openEngines({ catalogUri, warehouse, locate, ...packages });
  const cells = [];
  try {
    await cross({
      catalogUri,
      engines,
      writers: writers.filter(takesPart),
      readers: readers.filter(takesPart),
      features,
      report: (cell) => {
        cells.push(cell);
        report(cell);
      },
    });
  } finally {
    await engines.close();
  }
  return cells;
}
