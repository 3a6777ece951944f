// A real Kafka broker (KRaft, one node) and a schema registry with Confluent's API (Apicurio) for tests: fetched once
// by Maven into a cache folder, with pinned versions, and started on free ports of the loopback. Needs Java 17 and mvn.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, freePorts } from "./free-port.mjs";
import { makeCertificates } from "./kafka-certificates.mjs";

const KAFKA = "4.3.1";
/** The last that runs on Java 17. */
const APICURIO = "3.0.9";
const START_LIMIT_MS = 300_000;
const FETCH_LIMIT_MS = 600_000;
const QUIET = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
/** Who may come in by SASL. */
export const SASL_USER = { username: "firn", password: "firn-secret" };

const cache = join(process.env.FIRN_CACHE_DIR || join(homedir(), ".cache", "firn"), "kafka");

/** Why they cannot be started here; undefined when they can. */
export function whyNoKafka() {
  for (const tool of ["java", "mvn"]) {
    try {
      execFileSync(tool, ["-version"], { stdio: "ignore" });
    } catch {
      return `${tool} is not installed`;
    }
  }
  return undefined;
}

/**
 * Starts a broker with a listener without and one with SASL (PLAIN and SCRAM-SHA-256).
 * @param tls whether there is one with TLS too, whose certificate an authority of its own has signed (`caFile`); it
 *   asks clients for one that this authority has signed (`certFile`, `keyFile`); and one with TLS and SCRAM-SHA-512
 */
export async function startKafka({ say = () => {}, tls = false } = {}) {
  const jars = ensureKafka(say);
  const dir = mkdtempSync(join(tmpdir(), "firn-kafka-"));
  const [plain, sasl, controller, secure, login] = await freePorts(5);
  const properties = join(dir, "server.properties");
  const certificates = tls ? makeCertificates(dir) : undefined;
  const settings = serverSettings(dir, { plain, sasl, controller });
  if (certificates) addTls(settings, certificates, { tls: secure, login });
  writeFileSync(properties, textOf(settings));
  const classpath = ["-cp", `${jars}/*`];
  const java = (main, ...args) => execFileSync("java", [QUIET, ...classpath, main, ...args], { encoding: "utf8" });
  const id = java("kafka.tools.StorageTool", "random-uuid").trim();
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${SASL_USER.username},password=${SASL_USER.password}]`,
  ]);
  java("kafka.tools.StorageTool", "format", "-t", id, "-c", properties, ...scram);
  const server = launch("java", ["-Xmx512m", "-XX:+UseSerialGC", QUIET, ...classpath, "kafka.Kafka", properties], dir);
  await until(() => listens(plain), server);
  return {
    brokers: `127.0.0.1:${plain}`,
    saslBrokers: `127.0.0.1:${sasl}`,
    tlsBrokers: `127.0.0.1:${secure}`,
    tlsLoginBrokers: `127.0.0.1:${login}`,
    caFile: certificates?.caFile,
    certFile: certificates?.certFile,
    keyFile: certificates?.keyFile,
    /** Runs one Java file with Kafka's own client, and gives it `input`. */
    runJava: (file, args, input) =>
      execFileSync("java", [QUIET, ...classpath, file, ...args], { input, stdio: ["pipe", "ignore", "inherit"] }),
    stop: () => server.stop(),
  };
}

/** A listener by TLS, where clients need a certificate of the authority too, and one by TLS where they log in instead. */
function addTls(settings, { store, trust, password }, { tls, login }) {
  for (const name of ["listeners", "advertised.listeners"])
    settings[name] += `,TLS://127.0.0.1:${tls},LOGIN://127.0.0.1:${login}`;
  settings["listener.security.protocol.map"] += ",TLS:SSL,LOGIN:SASL_SSL";
  for (const listener of ["listener.name.tls", "listener.name.login"]) {
    for (const [name, location] of Object.entries({ keystore: store, truststore: trust })) {
      settings[`${listener}.ssl.${name}.type`] = "PKCS12";
      settings[`${listener}.ssl.${name}.location`] = location;
      settings[`${listener}.ssl.${name}.password`] = password;
    }
    settings[`${listener}.ssl.key.password`] = password;
  }
  settings["listener.name.tls.ssl.client.auth"] = "required";
  settings["listener.name.login.sasl.enabled.mechanisms"] = "SCRAM-SHA-512";
  settings["listener.name.login.scram-sha-512.sasl.jaas.config"] =
    "org.apache.kafka.common.security.scram.ScramLoginModule required;";
}

/** The folder of Kafka's jars. */
export const ensureKafka = (say = () => {}) => fetchJars(say);

/** The registry's jar. */
export const ensureRegistry = (say = () => {}) =>
  join(fetchRegistry(say), `apicurio-registry-app-${APICURIO}-runner.jar`);

/** Starts a registry that keeps its schemas in memory. */
export async function startRegistry({ say = () => {} } = {}) {
  const jar = ensureRegistry(say);
  const dir = mkdtempSync(join(tmpdir(), "firn-registry-"));
  const port = await freePort();
  const env = { QUARKUS_HTTP_HOST: "127.0.0.1", QUARKUS_HTTP_PORT: String(port) };
  const server = launch("java", ["-Xmx384m", "-XX:+UseSerialGC", "-jar", jar], dir, env);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  await until(async () => (await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2_000) })).ok, server);
  return { url, stop: () => server.stop() };
}

function fetchJars(say) {
  const folder = join(cache, `kafka-${KAFKA}`);
  return fetched(folder, say, `Kafka ${KAFKA}`, (into) => {
    const pom = join(into, "pom.xml");
    writeFileSync(pom, pomOf());
    maven("-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${into}`);
  });
}

function fetchRegistry(say) {
  const folder = join(cache, `apicurio-${APICURIO}`);
  return fetched(folder, say, `Apicurio Registry ${APICURIO}`, (into) => {
    const artifact = `io.apicurio:apicurio-registry-app:${APICURIO}:tar.gz:all`;
    // This version of the plugin does not ask for the artifact's parent pom, which is not to be had.
    const copy = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy";
    maven(copy, `-Dartifact=${artifact}`, `-DoutputDirectory=${join(into, "dl")}`);
    const archive = join(into, "dl", `apicurio-registry-app-${APICURIO}-all.tar.gz`);
    execFileSync("tar", ["xzf", archive, "-C", into]);
    rmSync(join(into, "dl"), { recursive: true });
  });
}

/** Into a folder beside the right one first: what stands there is whole. */
function fetched(folder, say, what, fetchInto) {
  if (existsSync(folder)) return folder;
  say(`fetching ${what} into ${folder}`);
  mkdirSync(cache, { recursive: true });
  const unfinished = mkdtempSync(`${folder}-`);
  fetchInto(unfinished);
  if (existsSync(folder)) rmSync(unfinished, { recursive: true });
  else renameSync(unfinished, folder);
  return folder;
}

function maven(...args) {
  execFileSync("mvn", ["-q", "-B", "-ntp", ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    timeout: FETCH_LIMIT_MS,
  });
}

function pomOf() {
  const dependency = (group, artifact, version) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
${dependency("org.apache.kafka", "kafka_2.13", KAFKA)}
${dependency("org.slf4j", "slf4j-simple", "1.7.36")}
</dependencies></project>\n`;
}

function serverSettings(dir, { plain, sasl, controller }) {
  const login = "org.apache.kafka.common.security";
  const { username, password } = SASL_USER;
  const listener = "listener.name.sasl";
  return {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${controller}`,
    listeners: `PLAIN://127.0.0.1:${plain},SASL://127.0.0.1:${sasl},CONTROLLER://127.0.0.1:${controller}`,
    "advertised.listeners": `PLAIN://127.0.0.1:${plain},SASL://127.0.0.1:${sasl}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAIN",
    "listener.security.protocol.map": "PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    [`${listener}.sasl.enabled.mechanisms`]: "PLAIN,SCRAM-SHA-256",
    [`${listener}.plain.sasl.jaas.config`]: `${login}.plain.PlainLoginModule required user_${username}="${password}";`,
    [`${listener}.scram-sha-256.sasl.jaas.config`]: `${login}.scram.ScramLoginModule required;`,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,
    "log.dirs": join(dir, "data"),
  };
}

function textOf(settings) {
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
}

function launch(command, args, dir, env = {}) {
  const log = join(dir, "server.log");
  const output = openSync(log, "a");
  const child = spawn(command, args, { cwd: dir, env: { ...process.env, ...env }, stdio: ["ignore", output, output] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const endWithParent = () => child.kill("SIGKILL");
  process.once("exit", endWithParent);
  return {
    assertAlive() {
      if (child.exitCode !== null) throw new Error(`${args.at(-1)} ended: ${readFileSync(log, "utf8").slice(-2_000)}`);
    },
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await exited;
      clearTimeout(timer);
      process.off("exit", endWithParent);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function until(condition, server) {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    server.assertAlive();
    if (await Promise.resolve(condition()).catch(() => false)) return;
    if (Date.now() > deadline) throw new Error("the server did not start in time");
    await sleep(100);
  }
}

async function listens(port) {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy() && true));
    socket.once("error", () => resolve(false));
  });
}
