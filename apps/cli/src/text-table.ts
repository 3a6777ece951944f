/** A cell; numbers stand right, with commas between thousands. */
export type Cell = string | number | undefined;

/** Rows under a header, columns as wide as their widest cell. */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = header.map((name, column) => Math.max(name.length, ...texts.map((row) => row[column]?.length ?? 0)));
  const isNumber = header.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] !== "string"));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(header), ...texts.map(line)].join("\n");
}

function cellText(cell: Cell): string {
  if (cell === undefined) return "-";
  return typeof cell === "number" ? cell.toLocaleString("en-US") : cell;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${UNITS[power]}`;
}
