// Dashboards and alerts against a running lake: whatever they name is there, and a real Prometheus takes every query.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";

/** Series of Prometheus itself. */
const BUILT_IN = new Set(["up", "ALERTS"]);
/** Labels that scraping and aggregation give, and histograms have. */
const GIVEN_LABELS = new Set(["job", "instance", "le"]);
const SCRAPES_LIMIT_MS = 60_000;

/** @returns {{ where: string, expr: string }[]} every expression of the panels and rules */
export function expressions(root) {
  const dashboards = join(root, "deploy", "dashboards");
  const panels = readdirSync(dashboards).flatMap((file) => {
    const { panels } = JSON.parse(readFileSync(join(dashboards, file), "utf8"));
    return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr })));
  });
  const { groups } = parse(readFileSync(join(root, "deploy", "alerts", "firn.yaml"), "utf8"));
  const rules = groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })));
  return [...panels, ...rules];
}

/** @param scrapes the texts of /metrics of every service @returns problems: names and labels that nobody exposes */
export function unknownNames(root, scrapes) {
  const known = exposed(scrapes);
  return expressions(root).flatMap(({ where, expr }) =>
    namesOf(expr).flatMap(({ metric, labels }) => {
      const family = [metric, metric.replace(/_(bucket|sum|count)$/, "")].find((name) => known.has(name));
      if (BUILT_IN.has(metric)) return [];
      if (family === undefined) return [`${where}: nobody exposes ${metric}`];
      const have = known.get(family);
      if (have.size === 0) return []; // no series yet: its labels are not known
      return labels
        .filter((label) => !GIVEN_LABELS.has(label) && !have.has(label))
        .map((label) => `${where}: ${metric} has no label ${label}`);
    }),
  );
}

/** Metric → labels of its series, from the text format. */
function exposed(scrapes) {
  const families = new Map();
  for (const line of scrapes.join("\n").split("\n")) {
    const type = /^# TYPE (\S+)/.exec(line);
    if (type && !families.has(type[1])) families.set(type[1], new Set());
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? /.exec(line);
    if (!sample) continue;
    const family = [sample[1], sample[1].replace(/_(bucket|sum|count)$/, "")].find((name) => families.has(name));
    for (const [, label] of (sample[2] ?? "").matchAll(/(\w+)="/g)) families.get(family)?.add(label);
  }
  return families;
}

/** The metrics that an expression selects, with the labels of their matchers. */
function namesOf(expr) {
  const selectors = expr.matchAll(/\b((?:firn|process|nodejs)_[a-z0-9_]+|up|ALERTS)\b(?:\{([^}]*)\})?/g);
  return [...selectors].map(([, metric, matchers = ""]) => ({
    metric,
    labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label),
  }));
}

/** Asks a Prometheus everything; gives what it refused, and how many answers had data. */
export async function askPrometheus(root, url, services) {
  await scraped(url, services);
  const problems = [];
  const empty = [];
  const all = expressions(root);
  for (const { where, expr } of all) {
    const query = expr.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*");
    const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`);
    const { status, error, data } = await answer.json();
    if (status !== "success") problems.push(`${where}: ${error}`);
    else if (data.result.length === 0 && !where.startsWith("alert ")) empty.push(where);
  }
  const { data } = await (await fetch(`${url}/api/v1/rules?type=alert`)).json();
  const rules = data.groups.flatMap((group) => group.rules);
  for (const { name, health, lastError } of rules) if (health === "err") problems.push(`${name}: ${lastError}`);
  return { problems, empty, asked: all.length, rules: rules.length };
}

async function scraped(url, services) {
  const query = `count(count_over_time(up[1m]) > 12 and up == 1)`;
  for (const deadline = Date.now() + SCRAPES_LIMIT_MS; Date.now() < deadline; await sleep(500)) {
    const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query })}`).catch(() => undefined);
    const { data } = (await answer?.json()) ?? {};
    if (Number(data?.result[0]?.value[1] ?? 0) >= services) return;
  }
  throw new Error(`Prometheus does not see ${services} services`);
}
