// Lays the readers' figures side by side: one line a figure, its value by the first reader, and a mark or the other
// value for each of the others.

const tolerance = 1e-9;
const figureWidth = 36;
const valueWidth = 36;
const readerWidth = 11;

/**
 * @param readers { reader: { table: { figure: value } } }
 * @returns the lines, and a check { name, ok, detail } for each figure of each reader after the first
 */
export function matrix(readers) {
  const [first, ...others] = Object.keys(readers);
  const lines = [`${"".padEnd(figureWidth)}${first.padEnd(valueWidth)}${others.map(cell).join("")}`.trimEnd()];
  const checks = [];
  for (const [table, figures] of Object.entries(readers[first])) {
    lines.push(table);
    for (const [figure, value] of Object.entries(figures)) {
      const marks = others.map((other) => {
        const found = readers[other][table]?.[figure];
        const ok = same(value, found);
        checks.push({ name: `${table}: ${figure} by ${other}`, ok, detail: `${show(figure, found)}` });
        return cell(ok ? "=" : `✗ ${show(figure, found)}`);
      });
      lines.push(
        `  ${figure.padEnd(figureWidth - 2)}${show(figure, value).padEnd(valueWidth)}${marks.join("")}`.trimEnd(),
      );
    }
  }
  return { lines, checks };
}

function same(one, other) {
  if (typeof one !== "number" || typeof other !== "number") return one === other;
  return Math.abs(one - other) <= tolerance * Math.max(1, Math.abs(one));
}

function cell(text) {
  return `${text.padEnd(readerWidth - 1)} `;
}

/** The numbers that are a least or greatest are instants in microseconds. */
function show(figure, value) {
  if (typeof value === "number" && /^(min|max)\(/.test(figure))
    return `${new Date(Math.floor(value / 1_000)).toISOString().slice(0, 19)}Z`;
  const text = typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 6 }) : `${value}`;
  return text.length < valueWidth ? text : `${text.slice(0, valueWidth - 2)}…`;
}
