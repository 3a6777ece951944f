// What stands for the images of Kafka, Apicurio's registry and Trino: their own programs from Maven, set up as the
// images set them up.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import kafkajs from "kafkajs";
import { askTrino, isTrinoReady, trinoCommand } from "../engines/trino.mjs";

/** For a life of a minute. */
const SMALL = ["-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
/** What the image of Kafka sets by itself. */
const KAFKA_CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw";
const QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
const ASK_LIMIT_MS = 5_000;

export const JVM_PROGRAMS = {
  /** The image's own wrapper makes properties of the KAFKA_… variables and formats the folder of the log. */
  async kafka({ owner, env, published }, { local, programs, dir }) {
    const values = {};
    for (const [name, value] of Object.entries(env)) values[name] = await onLoopback(value, { local, published });
    const [given, mounted, final] = ["given", "mounted", "final"].map((name) => join(dir, `${owner}-settings`, name));
    for (const folder of [given, mounted, final]) mkdirSync(folder, { recursive: true });
    const environment = { PATH: process.env.PATH, CLUSTER_ID: KAFKA_CLUSTER_ID, ...values };
    const classpath = ["-cp", join(programs.kafka, "*")];
    const folders = { default: given, mounted, final };
    const named = Object.entries(folders).flatMap(([name, folder]) => [`--${name}-configs-dir`, folder]);
    const wrapper = ["kafka.docker.KafkaDockerWrapper", "setup", ...named];
    const setup = spawnSync("java", [...SMALL, ...classpath, ...wrapper], { env: environment, encoding: "utf8" });
    const said = setup.stdout + setup.stderr;
    // As the image's script does, which runs at each start.
    if (setup.status !== 0 && !/already formatted/i.test(said))
      throw new Error(`Kafka's wrapper: ${said.slice(-2_000)}`);
    const file = join(final, "server.properties");
    const brokers = [...published.keys()].map((port) => local(published.get(port)));
    return {
      command: "java",
      args: [...SMALL, QUIET, ...classpath, "kafka.Kafka", file],
      isReady: async () => kafkaIsReady([await local(9092), ...(await Promise.all(brokers))], file),
    };
  },

  async "apicurio-registry"(_, { local, programs }) {
    const port = await local(8080);
    return {
      command: "java",
      args: [...SMALL, "-jar", programs.registry],
      env: { QUARKUS_HTTP_HOST: "127.0.0.1", QUARKUS_HTTP_PORT: String(port) },
      isReady: () => answers(`http://127.0.0.1:${port}/apis/ccompat/v7/subjects`),
    };
  },

  async trino({ owner, env }, { local, folders, dir }) {
    const port = await local(8080);
    const catalogs = dirname(folders.find(([path]) => path.startsWith("/etc/trino/catalog/"))[1]);
    const { command, args } = trinoCommand({ dir: join(dir, `${owner}-settings`), port, catalogs });
    return { command, args, env, isReady: () => isTrinoReady(`http://127.0.0.1:${port}`) };
  },
};

export { askTrino };

/** Listeners on all addresses of a container, and the ports that are published on the loopback of this machine. */
async function onLoopback(value, { local, published }) {
  for (const [found, port] of value.matchAll(/:\/\/:(\d+)/g))
    value = value.replace(found, `://127.0.0.1:${await local(Number(port))}`);
  for (const [outside, inside] of published)
    value = value.replaceAll(new RegExp(`127\\.0\\.0\\.1:${outside}\\b`, "g"), `127.0.0.1:${await local(inside)}`);
  return value;
}

/** As the health check has it: a client that comes in at a port is sent to addresses at which the broker answers. */
async function kafkaIsReady(ports, properties) {
  for (const port of ports) {
    const answer = await askBroker(port, settingsIn(properties));
    if (answer === undefined) return false;
    if (answer.unknown.length > 0) throw new Error(`Kafka does not know ${answer.unknown.join(", ")}`);
  }
  return true;
}

function settingsIn(properties) {
  const lines = readFileSync(properties, "utf8").split("\n");
  return Object.fromEntries(lines.filter((line) => line.includes("=")).map((line) => line.split(/=(.*)/s)));
}

/** The settings that the broker does not know; undefined as long as it is not there. */
async function askBroker(port, settings) {
  const client = new kafkajs.Kafka({
    brokers: [`127.0.0.1:${port}`],
    connectionTimeout: ASK_LIMIT_MS,
    requestTimeout: ASK_LIMIT_MS,
    retry: { retries: 0 },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.describeCluster();
    const broker = {
      type: kafkajs.ConfigResourceTypes.BROKER,
      name: settings["node.id"],
      configNames: Object.keys(settings),
    };
    const described = await admin
      .describeConfigs({ resources: [broker], includeSynonyms: false })
      .catch(() => undefined);
    // It hides the value of what it does not know, as if it were a password.
    const hidden = described?.resources[0].configEntries.filter(({ isSensitive }) => isSensitive) ?? [];
    return { unknown: hidden.map(({ configName }) => configName) };
  } catch (error) {
    const refused = error.broker ?? error.cause?.broker;
    if (refused !== undefined && refused !== `127.0.0.1:${port}`)
      throw new Error(`Kafka sends its clients to ${refused}, where nobody listens`, { cause: error });
    return undefined;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function answers(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_LIMIT_MS) }).catch(() => undefined);
  return answer?.ok === true;
}
