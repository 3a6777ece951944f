// The matrix as lines of text: a row for each writer and feature, a column for each reader.
const MARKS = { ok: "✓", limit: "–", failed: "✗" };

export function printMatrix(cells) {
  const readers = [...new Set(cells.map(({ reader }) => reader).filter(Boolean))];
  const writers = [...new Set(cells.map(({ writer }) => writer))];
  for (const writer of writers) {
    console.log(`\n  written by ${writer.padEnd(25)} ${readers.map((name) => name.padEnd(9)).join(" ")} rows`);
    for (const feature of new Set(cells.filter((cell) => cell.writer === writer).map((cell) => cell.feature))) {
      const row = cells.filter((cell) => cell.writer === writer && cell.feature === feature);
      const markOf = (reader) => MARKS[row.find((cell) => [reader, undefined].includes(cell.reader)).state];
      const sum = row.find((cell) => cell.checksum)?.checksum ?? "";
      console.log(`  ${feature.padEnd(36)} ${readers.map((reader) => markOf(reader).padEnd(9)).join(" ")} ${sum}`);
    }
  }
  console.log("");
  for (const { state, writer, reader, feature, detail } of cells)
    if (state === "failed") console.log(`  ✗ ${feature}, ${writer} → ${reader ?? "(writing)"}: ${detail}`);
}
