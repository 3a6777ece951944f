// Draws the panels of deploy/dashboards from a running Prometheus, without Grafana: to look at what an operator sees.
//   node tools/deploy/render-dashboards.mjs PROMETHEUS_URL OUT_FOLDER [minutes]
// Writes one SVG a dashboard: each panel with its queries, units and legends as the dashboard's file has them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [address, out, minutes = "5"] = process.argv.slice(2);
if (!address || !out) {
  console.error("usage: node tools/deploy/render-dashboards.mjs PROMETHEUS_URL OUT_FOLDER [minutes]");
  process.exit(2);
}
const COLORS = ["#73bf69", "#5794f2", "#f2cc0c", "#ff780a", "#f2495c", "#b877d9", "#37872d", "#8ab8ff", "#ffa6b0"];
const CELL = { width: 52, height: 30 };
const POINTS = 120;
const LEGENDS_MAX = 6;

const end = Date.now() / 1000;
const spanSeconds = Number(minutes) * 60;
const step = Math.max(1, Math.round(spanSeconds / POINTS));

const text = (value) => String(value).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A number as Grafana shows it with this unit. */
function shown(value, unit) {
  const scaled = (parts, base) => {
    let at = 0;
    for (; Math.abs(value) >= base && at < parts.length - 1; at++) value /= base;
    return `${Number(value.toPrecision(3))}${parts[at]}`;
  };
  if (unit === "s" && value !== 0 && Math.abs(value) < 1) return `${Number((value * 1000).toPrecision(3))} ms`;
  if (unit === "s") return `${Number(value.toPrecision(3))} s`;
  if (unit === "bytes" || unit === "Bps")
    return scaled([" B", " KiB", " MiB", " GiB", " TiB"], 1024) + (unit === "Bps" ? "/s" : "");
  if (unit === "percentunit") return `${Number((value * 100).toPrecision(3))} %`;
  if (unit === "currencyUSD") return `$${Number(value.toPrecision(2))}`;
  return scaled(["", " K", " M", " B"], 1000);
}

/** A gap in a series is a gap in its line. */
const isJoined = (points, i) => i > 0 && points[i][0] - points[i - 1][0] < 3 * step;

/** Dashboard variables take everything, as they do when a dashboard is opened first. */
const expanded = (expr) =>
  expr.replaceAll("$__rate_interval", `${Math.max(20, 4 * step)}s`).replaceAll(/\$\{?(dataset|table)\}?/g, ".*");

async function series({ expr, legendFormat }) {
  const query = new URLSearchParams({ query: expanded(expr), start: end - spanSeconds, end, step });
  const answer = await (await fetch(`${address}/api/v1/query_range?${query}`)).json();
  if (answer.status !== "success") throw new Error(`${expr}: ${answer.error}`);
  return answer.data.result.map(({ metric, values }) => ({
    name: (legendFormat ?? "").replaceAll(/\{\{(\w+)\}\}/g, (_, label) => metric[label] ?? ""),
    points: values.map(([at, value]) => [at, Number(value)]).filter(([, value]) => Number.isFinite(value)),
  }));
}

/** @returns {string} the panel as SVG, and whether it shows anything */
async function panelSvg({ title, targets, gridPos, fieldConfig }) {
  const unit = fieldConfig?.defaults?.unit ?? "short";
  const lines = (await Promise.all(targets.map(series))).flat().filter(({ points }) => points.length > 0);
  const [x, y] = [gridPos.x * CELL.width, gridPos.y * CELL.height];
  const [width, height] = [gridPos.w * CELL.width - 8, gridPos.h * CELL.height - 8];
  const plot = { left: 64, top: 30, width: width - 76, height: height - 92 };
  const top = Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))) || 1;
  const px = (at) => plot.left + ((at - (end - spanSeconds)) / spanSeconds) * plot.width;
  const py = (value) => plot.top + plot.height * (1 - value / top);
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<line x1="${plot.left}" x2="${plot.left + plot.width}" y1="${py(top * part)}" y2="${py(top * part)}" stroke="#333"/>` +
      `<text x="${plot.left - 6}" y="${py(top * part) + 4}" text-anchor="end">${text(shown(top * part, unit))}</text>`,
  );
  const drawn = lines.map(({ points }, n) => {
    const path = points.map(
      ([at, value], i) => `${isJoined(points, i) ? "L" : "M"}${px(at).toFixed(1)} ${py(value).toFixed(1)}`,
    );
    return `<path d="${path.join("")}" fill="none" stroke="${COLORS[n % COLORS.length]}" stroke-width="1.5"/>`;
  });
  const legends = lines.slice(0, LEGENDS_MAX).map(({ name, points }, n) => {
    const [column, row] = [n % 2, Math.floor(n / 2)];
    const at = `x="${14 + (column * width) / 2}" y="${plot.top + plot.height + 20 + row * 15}"`;
    const last = shown(points.at(-1)[1], unit);
    return `<text ${at} fill="${COLORS[n % COLORS.length]}">${text(`${name.slice(0, gridPos.w > 8 ? 60 : 26)}  ${last}`)}</text>`;
  });
  const more = lines.length - legends.length;
  const note = lines.length === 0 ? "no data" : more > 0 ? `and ${more} more` : "";
  return `<g transform="translate(${x},${y + 40})"><rect width="${width}" height="${height}" rx="3" fill="#181b1f"/>
    <text x="12" y="20" class="title">${text(title)}</text>${lines.length ? grid.join("") : ""}${drawn.join("")}${legends.join("")}
    <text x="${width - 10}" y="20" text-anchor="end">${note}</text></g>`;
}

async function dashboardSvg({ title, panels }) {
  const bottom = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * CELL.height + 48;
  const width = 24 * CELL.width;
  const parts = [];
  for (const panel of panels) parts.push(await panelSvg(panel));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${bottom}" font-family="DejaVu Sans,sans-serif" font-size="11" fill="#ccccdc">
<style>.title { font-size: 13px; font-weight: bold; }</style>
<rect width="100%" height="100%" fill="#111217"/><text x="12" y="26" font-size="17">${text(title)}, the last ${minutes} minutes</text>
${parts.join("\n")}</svg>\n`;
}

const folder = join(import.meta.dirname, "..", "..", "deploy", "dashboards");
mkdirSync(out, { recursive: true });
for (const file of readdirSync(folder)) {
  const dashboard = JSON.parse(readFileSync(join(folder, file), "utf8"));
  const path = join(out, file.replace(".json", ".svg"));
  writeFileSync(path, await dashboardSvg(dashboard));
  console.log(path);
}
