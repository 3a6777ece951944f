// The chart's containers as processes, with one values file after the other: what an operator gives (bucket, database,
// Secrets) is given here too.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { chartContainers } from "./chart-containers.mjs";
import { composeContainers } from "./compose-containers.mjs";
import { documents, render } from "./file-checks.mjs";
import { ContainerRun } from "./run-containers.mjs";

const KEY = { access: "firn", secret: "firn-secret" };
const TOKEN = "the-token-of-this-test";
const BUCKET = [
  "warehouse.uri=s3://lake/warehouse",
  "warehouse.s3.endpoint=http://s3:9000,warehouse.s3.pathStyle=true",
];

const secret = (name, stringData) => ({ kind: "Secret", metadata: { name }, stringData });
const s3Keys = secret("firn-s3", { "access-key": KEY.access, "secret-key": KEY.secret });

/** The Secrets that docs/deploy.md has made for values-production.yaml. */
const productionSecrets = [
  s3Keys,
  secret("firn-database", { url: "postgres://firn:firn@postgres:5432/firn" }),
  secret("firn-fred", { "api-key": "a-key" }),
  secret("firn-tokens", {
    token: TOKEN,
    "tokens.json": JSON.stringify({
      version: 1,
      tokens: [{ name: "firn", sha256: createHash("sha256").update(TOKEN).digest("hex"), scopes: ["admin"] }],
    }),
  }),
];

/**
 * By values file: what is set, which Secrets exist, which servers stand outside of the chart, and what is loaded where it
 * is not what the others load.
 */
export const CHARTS = {
  small: { sets: [...BUCKET, "secrets.s3.name=firn-s3"], secrets: [s3Keys], outside: ["s3"] },
  laptop: { sets: [], secrets: [], outside: [], files: ["hourlySteps"] },
  production: { sets: BUCKET, secrets: productionSecrets, outside: ["s3", "postgres"], files: ["hourlySteps"] },
};

/** @param more what else to do with the set before it ends */
export async function runChart({ report, root, tools, programs }, name, more = async () => {}) {
  const values = `values-${name}.yaml`;
  report.step(`The chart (${values}) as processes`);
  const { sets, secrets, outside, files } = CHARTS[name];
  const { text, problem } = render(
    tools,
    root,
    values,
    sets.flatMap((set) => ["--set", set]),
  );
  if (problem) throw new Error(problem);
  const objects = [...documents(text), ...secrets];
  const chart = chartContainers(objects);
  const servers = composeContainers(root, outside);
  const hosts = new Map([...chart.hosts, ...servers.hosts]);
  const run = new ContainerRun(report, { root, hosts, programs });
  await run.during(async () => {
    const isServer = ({ owner }) => outside.includes(owner) || owner === "bucket";
    for (const container of servers.containers.filter(isServer)) await run.startedOrEnded(container);
    await startPods(run, chart, objects);
    const operator = chart.jobs.find(({ owner }) => owner.endsWith("maintenance"));
    await run.mainJob(operator, files);
    for (const job of chart.jobs) await endJob(run, job, secrets);
    await more({
      run,
      chart,
      objects,
      servers: servers.containers.filter(isServer),
      operator,
      keys: KEY,
      root,
      programs,
    });
  });
}

const isOurs = ({ image }) => /(^|\/)firn:/.test(image);

/** Pods as a cluster starts them: the servers, what makes streams and tables, the stages, then the test of the chart. */
export async function startPods(run, { inits, services, setups, tests }, objects) {
  await run.startedForeign(
    services.filter((one) => !isOurs(one)),
    objects,
  );
  // A cluster of NATS has chosen who leads when this page is well; jobs of a cluster are tried again until then.
  for (const { owner } of services.filter(({ image }) => image.startsWith("nats:")))
    await run.set.untilAnswers(owner, 8222, "/healthz");
  const ours = services.filter(isOurs);
  const catalogs = ours.filter(({ name }) => name === "catalog");
  await run.startedTogether(catalogs);
  for (const container of [...inits, ...setups]) await run.ended(container);
  await run.startedTogether(ours.filter((one) => !catalogs.includes(one)));
  for (const container of tests) await run.ended(container);
}

/** The key for a source is the operator's: without it the job ends with 2 and names it, with it the source is shown it. */
async function endJob(run, job, secrets) {
  if (!job.args.includes("macro")) return run.ended(job);
  const given = secrets.find(({ stringData }) => stringData["api-key"])?.stringData["api-key"];
  if (given === undefined) {
    const { exitCode, output } = await run.set.run(job);
    return run.check(`${job.owner} asks for FRED_API_KEY`, exitCode === 2 && output.includes("FRED_API_KEY"), output);
  }
  const shown = new Set();
  const source = createServer((request, response) => {
    shown.add(new URL(request.url, "http://source").searchParams.get("api_key"));
    response.writeHead(400).end("{}");
  });
  await new Promise((resolve) => source.listen(0, "127.0.0.1", resolve));
  const env = { ...job.env, FRED_BASE_URL: `http://127.0.0.1:${source.address().port}` };
  const { output } = await run.set.run({ ...job, env });
  source.close();
  run.check(`${job.owner} shows its source the key of the Secret`, shown.has(given), output);
}
