// The matrix in docs/interop.md, between its marks, and as docs/interop.json: both are what the last run of all engines
// found.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { features } from "./features/index.mjs";
import { limits } from "./limits.mjs";
import { readers } from "./readers/index.mjs";
import { writers } from "./writers/index.mjs";

const docs = join(import.meta.dirname, "..", "..", "docs");
const page = join(docs, "interop.md");
const data = join(docs, "interop.json");
const BEGIN = "<!-- matrix: npm run test:matrix -- --docs -->";
const END = "<!-- /matrix -->";

/** Puts cells in the place of what stood there for the same writer, reader and feature. */
export function writeDocs(cells) {
  const places = new Map(told().map((cell) => [placeOf(cell), cell]));
  for (const cell of cells) {
    // A table that is not written has one cell, one that is has a cell for each reader.
    if (cell.reader === undefined) for (const { name } of readers) places.delete(placeOf({ ...cell, reader: name }));
    else places.delete(placeOf({ ...cell, reader: undefined }));
    places.set(placeOf(cell), cell);
  }
  const all = writers.flatMap((writer) =>
    features.flatMap((feature) =>
      [undefined, ...readers.map(({ name }) => name)].flatMap((reader) => {
        const cell = places.get(placeOf({ writer: writer.name, feature: feature.name, reader }));
        return cell === undefined ? [] : [withoutDetail(cell)];
      }),
    ),
  );
  writeFileSync(data, `[\n${all.map((cell) => `  ${JSON.stringify(cell)}`).join(",\n")}\n]\n`);
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(BEGIN);
  const after = rest.split(END)[1];
  writeFileSync(page, `${before}${BEGIN}\n\n${tables(all)}\n\n${END}${after}`);
}

const placeOf = ({ writer, reader, feature }) => `${feature}, ${writer} → ${reader ?? "(writing)"}`;

const told = () => (existsSync(data) ? JSON.parse(readFileSync(data, "utf8")) : []);

/** What a failure says has paths and digits of its run. */
const withoutDetail = ({ writer, reader, feature, state, checksum, limit }) => ({
  writer,
  reader,
  feature,
  state,
  checksum,
  limit,
});

/** What the page says otherwise, a sentence a cell. */
export function differsFromDocs(cells) {
  const written = new Map(told().map((cell) => [placeOf(cell), cell]));
  return cells.flatMap((cell) => {
    const other = written.get(placeOf(cell));
    const same = other?.state === cell.state && other.checksum === cell.checksum && other.limit === cell.limit;
    return same ? [] : [`${placeOf(cell)}: ${cell.state}, there ${other?.state ?? "absent"}`];
  });
}

function tables(cells) {
  const readBy = readers.map(({ name }) => name).filter((name) => cells.some(({ reader }) => reader === name));
  const writtenBy = writers.map(({ name }) => name).filter((name) => cells.some(({ writer }) => writer === name));
  const used = limits.filter(
    ({ id }, index) =>
      cells.some(({ limit }) => limit === id) && limits.findIndex((limit) => limit.id === id) === index,
  );
  const numberOf = (id) => used.findIndex((limit) => limit.id === id) + 1;
  const mark = (cell) => {
    if (cell === undefined) return "not run";
    return cell.state === "ok" ? "✓" : cell.state === "limit" ? `– (${numberOf(cell.limit)})` : "✗";
  };
  const table = (writer) => {
    const names = [...new Set(cells.filter((cell) => cell.writer === writer).map(({ feature }) => feature))];
    const rows = names.map((feature) => {
      const row = cells.filter((cell) => cell.writer === writer && cell.feature === feature);
      const marks = readBy.map((reader) => mark(row.find((cell) => [reader, undefined].includes(cell.reader))));
      return [feature, ...marks, row.find(({ checksum }) => checksum)?.checksum ?? ""];
    });
    return aligned([[`written by ${writer}, read by`, ...readBy, "rows"], ...rows]);
  };
  const reasons = used.map(({ reason, issue }, index) => `${index + 1}. ${reason} [Upstream](${issue}).`);
  return [...writtenBy.map(table), reasons.join("\n")].join("\n\n");
}

/** A Markdown table as the formatter has it. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [
    line(rows[0]),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.slice(1).map(line),
  ].join("\n");
}
