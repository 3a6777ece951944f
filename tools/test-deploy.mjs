// `npm run test:deploy`: the files under deploy/ and docker-compose.yml. Linters and offline validators judge them, each
// of them is shown an error that it must find; then every container of the rendered chart, and of the compose file's
// profiles core and observe, runs as a process of this machine and the health lake does its work on exactly that set,
// and every dashboard panel and alert is asked of a real Prometheus. `--files` stops before the containers. The last
// line is `N passed, N failed`.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { appNames, bootstrap, say } from "./bootstrap.mjs";
import { chartContainers } from "./deploy/chart-containers.mjs";
import { composeContainers } from "./deploy/compose-containers.mjs";
import { ContainerSet } from "./deploy/container-set.mjs";
import { ensureDeployTools } from "./deploy/deploy-tools.mjs";
import { documents, fileChecks, render } from "./deploy/file-checks.mjs";
import { createDatabase } from "./deploy/foreign-containers.mjs";
import { askPrometheus, unknownNames } from "./deploy/monitoring-live.mjs";
import { plantErrors } from "./deploy/planted-errors.mjs";
import { ensureWeed } from "./foreign-servers.mjs";
import { ensureNatsServer } from "./nats-server.mjs";

const root = join(import.meta.dirname, "..");
const KEY = { access: "firn", secret: "firn-secret" };
/** Panels that a healthy lake fills at once; the others wait for errors, for time, or for other lakes. */
const PANELS_WITH_DATA_MIN = 35;

/** How long a container with a planted fault may try. */
const FAULT_LIMIT_MS = 8_000;

let passed = 0;
let failed = 0;

bootstrap(appNames());
const tools = ensureDeployTools(say);
const checks = fileChecks(tools);
step("Files");
for (const { name, run } of checks) {
  const problems = attempt(() => run(root));
  check(name, problems.length === 0, problems.join("\n      "));
}
step("Planted errors");
for (const { name, found } of plantErrors(root, checks)) check(name, found, "not found");
if (!process.argv.includes("--files")) {
  const programs = {
    natsServer: await ensureNatsServer({ log: say }),
    weed: ensureWeed(),
    prometheus: tools.prometheus,
  };
  await containers("The chart (values-small.yaml) as processes", (set) => runChart(set), chartSet(programs));
  await containers("The compose file (core, observe) as processes", (set) => runCompose(set), composeSet(programs));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function step(name) {
  console.log(`\n${name}`);
}

function check(name, ok, detail) {
  if (ok) passed++;
  else failed++;
  console.log(`  ${ok ? "✓" : "✗"} ${name}${ok ? "" : `: ${detail}`}`);
}

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return [error.message];
  }
}

async function containers(name, run, made) {
  step(name);
  const set = new ContainerSet({ root, hosts: made.hosts, programs: made.programs });
  try {
    await run({ set, ...made });
  } catch (error) {
    check(name, false, error.message);
  } finally {
    const bad = await set.stop();
    check("every container ended in order when told to", bad.length === 0, bad.join("; "));
  }
}

/** The chart with a bucket: S3 is outside of it, with keys in a Secret as an operator makes one. */
function chartSet(programs) {
  const more = ["--set", "warehouse.s3.endpoint=http://s3:9000,warehouse.s3.pathStyle=true,secrets.s3.name=firn-s3"];
  const { text, problem } = render(tools, root, "values-small.yaml", [
    ...more,
    "--set",
    "warehouse.uri=s3://lake/warehouse",
  ]);
  if (problem) throw new Error(problem);
  const keys = { "access-key": KEY.access, "secret-key": KEY.secret };
  const objects = [...documents(text), { kind: "Secret", metadata: { name: "firn-s3" }, stringData: keys }];
  const chart = chartContainers(objects);
  const s3 = composeContainers(root, ["s3"]);
  chart.hosts.set("s3", { owner: "s3" });
  return { ...chart, outside: s3.containers, hosts: chart.hosts, programs, objects };
}

async function runChart({ set, outside, inits, services, setups, jobs, tests, objects }) {
  const isOurs = ({ image }) => image.startsWith("firn:");
  for (const container of outside) await startOrRun(set, container);
  for (const container of services.filter((one) => !isOurs(one))) await startForeign(set, container, objects);
  const ours = services.filter(isOurs);
  const first = ours.filter(({ name }) => name === "catalog");
  for (const container of first) await started(set, container);
  for (const container of [...inits, ...setups]) await ended(set, container);
  for (const container of ours.filter((one) => !first.includes(one))) await started(set, container);
  for (const container of tests) await ended(set, container);
  const operator = jobs.find(({ owner }) => owner.endsWith("maintenance"));
  await mainJob(set, operator);
  for (const job of jobs) {
    if (!job.args.includes("macro")) await ended(set, job);
    else await saysWhatIsMissing(set, job, "FRED_API_KEY");
  }
}

/** The key for a source is the operator's: without it the job ends with 2 and names it. */
async function saysWhatIsMissing(set, job, variable) {
  const { exitCode, output } = await set.run(job);
  check(`${job.owner} asks for ${variable}`, exitCode === 2 && output.includes(variable), `${exitCode}: ${output}`);
}

/** Postgres makes its database by itself in a container. */
async function startForeign(set, container, objects = []) {
  await started(set, container);
  if (!container.image.startsWith("postgres:")) return;
  const secret = objects.find(({ kind, stringData }) => kind === "Secret" && stringData?.url);
  const password = secret?.stringData.password ?? container.env.POSTGRES_PASSWORD;
  createDatabase(`postgres://firn:${password}@${await set.address(container.owner, 5432)}/firn`);
}

function composeSet(programs) {
  const { containers, hosts } = composeContainers(root, ["core", "observe"]);
  return { containers, hosts, programs };
}

async function runCompose({ set, containers: all }) {
  for (const container of all.filter(({ image }) => !image.startsWith("grafana/"))) await startOrRun(set, container);
  const ours = all.filter(({ ready, image }) => ready && image.startsWith("firn:"));
  for (const container of ours) {
    const { exitCode, output } = await set.run({
      ...container,
      name: `${container.name}-health`,
      args: ["healthcheck.mjs"],
    });
    check(`${container.name}: the health check agrees`, exitCode === 0, output);
  }
  await faultsAreFound(
    set,
    ours.find(({ name }) => name === "validator"),
  );
  const { env, mounts, image } = ours.find(({ name }) => name === "query");
  const urls = { FIRN_INGEST_URL: "http://ingest:4100", FIRN_QUERY_URL: "http://query:4200" };
  await mainJob(set, { owner: "operator", name: "firn", image, mounts, env: { ...env, ...urls }, args: [] });
  const scrapes = [];
  for (const { name, ready } of ours) {
    const address = await set.address(name, ready.port);
    scrapes.push(await (await fetch(`http://${address}/metrics`)).text());
  }
  const unknown = unknownNames(root, scrapes);
  check("every metric and label of the panels and rules is exposed", unknown.length === 0, unknown.join("\n      "));
  const prometheus = `http://${await set.address("prometheus", 9090)}`;
  const { problems, empty, asked, rules } = await askPrometheus(root, prometheus, ours.length);
  check(
    `Prometheus answers all ${asked} expressions and evaluates ${rules} rules`,
    problems.length === 0 && rules > 0,
    problems.join("\n      "),
  );
  const alerts = rules;
  const filled = asked - alerts - empty.length;
  check(`${filled} of ${asked - alerts} panel queries have data`, filled >= PANELS_WITH_DATA_MIN, empty.join("; "));
}

/** What this test is for: a container that is wrong does not come up. */
async function faultsAreFound(set, validator) {
  const { NATS_URL: _, ...withoutBroker } = validator.env;
  const faults = {
    "a wrong argument": { args: [...validator.args, "--watch"] },
    "a wrong program": { args: ["apps/validatr/dist/main.js"] },
    "a missing variable": { env: withoutBroker },
    "a port that does not match": { env: { ...validator.env, FIRN_PORT: "4399" } },
    "a host that is not there": { env: { ...validator.env, NATS_URL: "nats://nats:4333" } },
    "a path that is not mounted": { env: { ...validator.env, FIRN_DATA_DIR: "/var/lib/firn" } },
  };
  for (const [name, fault] of Object.entries(faults)) {
    const outcome = await set
      .start({ ...validator, owner: `planted-${name.replaceAll(" ", "-")}`, ...fault }, FAULT_LIMIT_MS)
      .then(
        () => "it came up",
        () => undefined,
      );
    check(`${name} keeps a container from coming up`, outcome === undefined, outcome);
  }
}

async function startOrRun(set, container) {
  if (container.ends) await ended(set, container);
  else await startForeign(set, container);
}

async function started(set, container) {
  await set.start(container);
  check(`${container.owner}: ${container.image} ${container.args.join(" ").slice(0, 60)} is ready`, true);
}

async function ended(set, container) {
  const { exitCode, output } = await set.run(container);
  check(
    `${container.owner}/${container.name}: ${container.args.join(" ").slice(0, 60)} ends with 0`,
    exitCode === 0,
    `${exitCode}: ${output.slice(-1_500)}`,
  );
}

/** Files into the lake, all of it in the tables, every aggregate equal to raw; asked with the operator's command. */
async function mainJob(set, operator) {
  const samples = join(root, "samples", "health");
  const files = readdirSync(samples)
    .filter((name) => name.endsWith(".csv.gz"))
    .slice(0, 2);
  const firn = (...args) =>
    ended(set, { ...operator, name: `firn-${args[0]}`, args: ["apps/cli/dist/main.js", ...args] });
  await firn("replay", ...files.map((name) => join(samples, name)));
  await firn("status", "--wait", "--timeout", "120");
  await firn("check", "health");
  await firn("verify", "health");
}
