// No package registry at hand has a Grafana: what its provisioning files, its variables in the compose file and our
// dashboards may hold, as far as we use it, and that all of them name the same things.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parse } from "yaml";

const COLUMNS = 24;
/** GF_<section>_<key> of Grafana's defaults.ini. */
const VARIABLES = [
  "GF_AUTH_ANONYMOUS_ENABLED",
  "GF_SECURITY_ADMIN_PASSWORD",
  "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH",
];

const only = (properties, optional = []) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});
const list = (items) => ({ type: "array", minItems: 1, items });
const text = { type: "string", minLength: 1 };
const flag = { type: "boolean" };
const whole = { type: "integer", minimum: 0 };
const prometheus = only({ type: { const: "prometheus" }, uid: { const: "${datasource}" } });

const datasourceFile = only({
  apiVersion: { const: 1 },
  datasources: list(
    only({ name: text, uid: text, type: text, access: { const: "proxy" }, url: text, isDefault: flag }, ["isDefault"]),
  ),
});
const providerFile = only({
  apiVersion: { const: 1 },
  providers: list(only({ name: text, folder: text, type: { const: "file" }, options: only({ path: text }) })),
});

const variable = {
  anyOf: [
    only({ name: text, label: text, type: { const: "datasource" }, query: text }),
    only({
      ...{ name: text, label: text, type: { const: "query" }, query: text, datasource: prometheus },
      ...{ includeAll: flag, multi: flag, allValue: text, refresh: { enum: [1, 2] } },
      current: only({ text, value: text }),
    }),
  ],
};
const panel = only(
  {
    ...{ id: whole, title: text, description: text, type: { enum: ["timeseries", "stat"] }, datasource: prometheus },
    gridPos: only({ x: whole, y: whole, w: whole, h: whole }),
    fieldConfig: only({
      defaults: only(
        { unit: text, min: { type: "number" }, max: { type: "number" }, decimals: whole, custom: { type: "object" } },
        ["min", "max", "decimals", "custom"],
      ),
      overrides: { type: "array" },
    }),
    targets: list(
      only({ refId: text, datasource: prometheus, expr: text, legendFormat: text, instant: flag }, [
        "legendFormat",
        "instant",
      ]),
    ),
    options: { type: "object" },
  },
  ["options"],
);
const dashboardFile = only({
  ...{ uid: { type: "string", pattern: "^[a-z-]{1,40}$" }, title: text, description: text, tags: list(text) },
  ...{ schemaVersion: { type: "integer", minimum: 36 }, version: whole, editable: flag },
  ...{ timezone: { enum: ["utc", "browser"] }, refresh: { type: "string", pattern: "^[0-9]+[smh]$" } },
  ...{ time: only({ from: text, to: text }), templating: only({ list: list(variable) }) },
  ...{ annotations: { type: "object" }, links: { type: "array" }, panels: list(panel) },
});

const ajv = new Ajv({ allErrors: true });
const validators = {
  datasources: ajv.compile(datasourceFile),
  providers: ajv.compile(providerFile),
  dashboard: ajv.compile(dashboardFile),
};

function shapeProblems(kind, file, value) {
  const validate = validators[kind];
  return validate(value)
    ? []
    : validate.errors.map(({ instancePath, message }) => `${file}: ${instancePath} ${message}`);
}

/** Provisioning files and the container that mounts them. */
export function grafanaProblems(root) {
  const { services } = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true });
  const { environment, volumes } = services.grafana;
  const folder = join(root, "deploy", "grafana");
  const sources = parse(readFileSync(join(folder, "datasources", "prometheus.yaml"), "utf8"));
  const providers = parse(readFileSync(join(folder, "dashboards", "firn.yaml"), "utf8"));
  const problems = [
    ...shapeProblems("datasources", "datasources/prometheus.yaml", sources),
    ...shapeProblems("providers", "dashboards/firn.yaml", providers),
    ...Object.keys(environment).flatMap((name) => (VARIABLES.includes(name) ? [] : [`grafana: unknown ${name}`])),
  ];
  if (problems.length > 0) return problems;
  const mounts = volumes.map((volume) => volume.split(":"));
  if (!mounts.some(([from, to]) => from === "./deploy/grafana" && to === "/etc/grafana/provisioning"))
    problems.push("grafana: the provisioning files are not where it looks for them");
  for (const { url } of sources.datasources) {
    const { hostname, port } = new URL(url);
    const published = services[hostname]?.ports?.some((one) => one.endsWith(`:${port}`));
    if (!published) problems.push(`datasources/prometheus.yaml: no service has ${hostname}:${port}`);
  }
  const paths = [...providers.providers.map(({ options }) => options.path), environment[VARIABLES[2]]];
  for (const path of paths) {
    const [from, to] = mounts.find(([, to]) => to !== "/var/lib/grafana" && path.startsWith(to)) ?? [];
    if (!from || !exists(join(root, from, path.slice(to.length)))) problems.push(`grafana: ${path} is not mounted`);
  }
  return problems;
}

/** The dashboards: their shape, their ids, their places, and the variables that their expressions use. */
export function dashboardProblems(root) {
  const folder = join(root, "deploy", "dashboards");
  const files = readdirSync(folder);
  const all = files.map((file) => ({ file, board: JSON.parse(readFileSync(join(folder, file), "utf8")) }));
  const shapes = all.flatMap(({ file, board }) => shapeProblems("dashboard", file, board));
  if (shapes.length > 0) return shapes;
  const uids = all.map(({ board }) => board.uid);
  return [
    ...uids.filter((uid, i) => uids.indexOf(uid) !== i).map((uid) => `${uid} is the uid of two dashboards`),
    ...all.flatMap(({ file, board }) => boardProblems(board).map((problem) => `${file}: ${problem}`)),
  ];
}

function boardProblems({ panels, templating }) {
  const problems = [];
  const known = new Set([...templating.list.map(({ name }) => name), "__rate_interval", "__range", "__interval"]);
  if (
    !templating.list.some(
      ({ name, type, query }) => name === "datasource" && type === "datasource" && query === "prometheus",
    )
  )
    problems.push("no variable chooses the data source");
  for (const [i, { id, title, gridPos, targets }] of panels.entries()) {
    const others = panels.slice(0, i);
    if (others.some((other) => other.id === id)) problems.push(`${title}: another panel has the id ${id}`);
    if (gridPos.x + gridPos.w > COLUMNS) problems.push(`${title}: wider than the ${COLUMNS} columns`);
    const covered = others.find((other) => overlap(other.gridPos, gridPos));
    if (covered) problems.push(`${title} covers ${covered.title}`);
    if (new Set(targets.map(({ refId }) => refId)).size < targets.length)
      problems.push(`${title}: a refId is there twice`);
    for (const { expr } of targets)
      for (const [, name] of expr.matchAll(/\$\{?(\w+)/g))
        if (!known.has(name)) problems.push(`${title}: there is no variable ${name}`);
  }
  return problems;
}

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

function exists(path) {
  try {
    return readFileSync(path).length > 0;
  } catch (error) {
    return error.code === "EISDIR";
  }
}
