// The compose file's containers as processes: the profiles core and observe, kafka where there is Java, and trino where
// its server is at hand. The health lake's work is done on exactly that set.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { composeContainers } from "./compose-containers.mjs";
import { askTrino } from "./jvm-containers.mjs";
import { askPrometheus, unknownNames } from "./monitoring-live.mjs";
import { ContainerRun } from "./run-containers.mjs";

/** Panels that a healthy lake fills at once; the others wait for errors, for time, or for other lakes. */
const PANELS_WITH_DATA_MIN = 35;
/** A registry without a broker asks for it for ever. */
const REGISTRY_FAULT_LIMIT_MS = 20_000;
const KAFKA_LIMIT_MS = 90_000;
/** What .env.example has for the profile kafka. */
const KAFKA_SETTINGS = { KAFKA_BROKERS: "kafka:9092", SCHEMA_REGISTRY_URL: "http://registry:8080/apis/ccompat/v7" };

const withoutVariable = (env, name) => Object.fromEntries(Object.entries(env).filter(([key]) => key !== name));

export async function runCompose({ report, root, programs }) {
  const profiles = ["core", "observe", ...(programs.kafka ? ["kafka"] : []), ...(programs.hasTrino ? ["trino"] : [])];
  report.step(`The compose file (${profiles.join(", ")}) as processes`);
  for (const name of ["kafka", "trino"])
    if (!profiles.includes(name)) report.skip(`the profile ${name}`, programs.why[name]);
  const { containers, hosts } = composeContainers(root, profiles, programs.kafka ? KAFKA_SETTINGS : {});
  // There is no server of it to be had: file-checks.mjs judges its files.
  const all = containers.filter(({ image }) => !image.startsWith("grafana/"));
  const run = new ContainerRun(report, { root, hosts, programs });
  await run.during(async () => {
    const named = (name) => all.find((container) => container.name === name);
    const kafka = named("kafka") && run.faultsAreFound(named("kafka"), kafkaFaults(named("kafka")));
    const trino = named("trino") && run.faultsAreFound(named("trino"), trinoFaults(named("trino")));
    await startInOrder(run, all, { kafka, trino });
    const ours = all.filter(({ ready, image }) => ready && image.startsWith("firn:"));
    await healthChecksAgree(run, ours);
    await run.faultsAreFound({ ...named("validator"), owner: "planted" }, faultsOf(named("validator")));
    const { env, mounts, image } = named("query");
    const urls = { FIRN_INGEST_URL: "http://ingest:4100", FIRN_QUERY_URL: "http://query:4200" };
    const operator = { owner: "operator", image, mounts, env: { ...env, ...urls } };
    const faults = named("registry") && registryFaultIsFound(run, named("registry"));
    if (named("kafka")) await sendToKafka(run, root, operator);
    await run.mainJob(operator);
    if (named("trino")) await askOfTrino(run);
    await faults;
    await isWatched(run, root, ours);
  });
}

async function healthChecksAgree(run, services) {
  for (const container of services) {
    const check = { ...container, name: `${container.name}-health`, args: ["healthcheck.mjs"] };
    const { exitCode, output } = await run.set.run(check);
    run.check(`${container.name}: the health check agrees`, exitCode === 0, output);
  }
}

function faultsOf({ env, args }) {
  return {
    "a wrong argument": { args: [...args, "--watch"] },
    "a wrong program": { args: ["apps/validatr/dist/main.js"] },
    "a missing variable": { env: withoutVariable(env, "NATS_URL") },
    "a port that does not match": { env: { ...env, FIRN_PORT: "4399" } },
    "a host that is not there": { env: { ...env, NATS_URL: "nats://nats:4333" } },
    "a path that is not mounted": { env: { ...env, FIRN_DATA_DIR: "/var/lib/firn" } },
  };
}

function kafkaFaults({ env }) {
  const advertised = env.KAFKA_ADVERTISED_LISTENERS.replace("kafka:9092", "kafka:9192");
  const faults = [
    ["a missing variable", withoutVariable(env, "KAFKA_CONTROLLER_LISTENER_NAMES"), /controller\.listener\.names/],
    ["a variable that Kafka does not know", { ...env, KAFKA_LOG_DIRECTORIES: "x" }, /does not know log\.directories/],
    ["an advertised port that does not match", { ...env, KAFKA_ADVERTISED_LISTENERS: advertised }, /nobody listens/],
  ];
  // With data of its own each time.
  return Object.fromEntries(
    faults.map(([name, env, says], n) => [
      name,
      { env, says, mounts: { [env.KAFKA_LOG_DIRS]: { shared: `fault-${n}` } } },
    ]),
  );
}

const trinoFaults = ({ env }) => ({
  "a missing variable": { env: withoutVariable(env, "S3_SECRET_KEY"), says: /SecretsResolver/ },
});

function registryFaultIsFound(run, registry) {
  const env = { ...registry.env, APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: "kafka:9192" };
  const container = { ...registry, owner: "planted-registry" };
  return run.faultsAreFound(container, { "a broker that is not there": { env } }, REGISTRY_FAULT_LIMIT_MS);
}

/** Each as soon as what it needs is there, as compose does. @param before what is done first, by the container's name */
async function startInOrder(run, containers, before) {
  const starts = new Map();
  const start = (name) => {
    const container = containers.find((one) => one.name === name);
    if (container && !starts.has(name)) starts.set(name, startOne(container));
    return starts.get(name);
  };
  const startOne = async (container) => {
    await Promise.all(container.needs.map(start));
    await before[container.name];
    await run.startedOrEnded(container);
  };
  const all = await Promise.allSettled(containers.map(({ name }) => start(name)));
  const failure = all.find(({ status }) => status === "rejected");
  if (failure) throw failure.reason;
}

/** docs/develop.md, "Kafka": from this machine at the published ports, as JSON and in Avro; ingest reads it inside. */
async function sendToKafka(run, root, operator) {
  const file = join(root, "samples", "health", "weightLogInfo.csv.gz");
  const brokers = await run.set.podAddress("kafka", 9094);
  const registry = `http://${await run.set.podAddress("registry", 8080)}/apis/ccompat/v7`;
  const where = ["--brokers", brokers, "--registry", registry];
  for (const format of ["json", "avro"]) await run.firn(operator, "produce", file, ...where, "--format", format);
  // Until it looks again, ingest stands parked for want of the topic, which producing has made.
  await untilSomethingCame(run);
  await run.firn(operator, "status", "--wait", "--timeout", "120");
  const { received, duplicates } = await countsOf(run);
  run.check(
    `${received} records came by Kafka, half of them twice`,
    received > 0 && received === 2 * duplicates,
    duplicates,
  );
}

/** One question of a table that Firn has written, through the catalog file that is mounted. */
async function askOfTrino(run) {
  const uri = `http://${await run.set.podAddress("trino", 8080)}`;
  const { stored } = await countsOf(run);
  const sql = "SELECT count(*), count(DISTINCT sample_id) FROM lake.health_db.health_data_raw";
  const [[rows, identities]] = await askTrino(uri, sql).catch((error) => [[error.message, ""]]);
  run.check(`Trino counts ${stored} rows of raw`, rows === String(stored), `${rows}, ${identities}`);
}

async function untilSomethingCame(run) {
  const deadline = Date.now() + KAFKA_LIMIT_MS;
  while ((await countsOf(run)).received === 0 && Date.now() < deadline) await sleep(500);
}

async function countsOf(run) {
  const query = `http://${await run.set.podAddress("query", 4200)}`;
  return (await (await fetch(`${query}/api/pipeline`)).json()).datasets.health;
}

/** Every panel and every rule is asked of the running whole. */
async function isWatched(run, root, services) {
  const scrapes = [];
  for (const { owner, ready } of services) {
    const address = await run.set.podAddress(owner, ready.port);
    scrapes.push(await (await fetch(`http://${address}/metrics`)).text());
  }
  const unknown = unknownNames(root, scrapes);
  run.check(
    "every metric and label of the panels and rules is exposed",
    unknown.length === 0,
    unknown.join("\n      "),
  );
  const prometheus = `http://${await run.set.podAddress("prometheus", 9090)}`;
  const { problems, empty, asked, rules } = await askPrometheus(root, prometheus, services.length);
  run.check(
    `Prometheus answers all ${asked} expressions and evaluates ${rules} rules`,
    problems.length === 0 && rules > 0,
    problems.join("\n      "),
  );
  const filled = asked - rules - empty.length;
  run.check(`${filled} of ${asked - rules} panel queries have data`, filled >= PANELS_WITH_DATA_MIN, empty.join("; "));
}
