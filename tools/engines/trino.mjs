// Trino with an Iceberg REST catalog, on this machine, one node: as spark.mjs. Needs Java 24 or newer (FIRN_TRINO_JAVA_HOME,
// or one below /usr/lib/jvm); fetched once, 0.8 GB to fetch and 0.5 GB to keep. About 600 MB of memory.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureTrino } from "../foreign-servers.mjs";
import { freePort } from "../free-port.mjs";

const START_LIMIT_MS = 300_000;
const JAVA_MIN = 24;
const LOG_KEPT = 20_000;

/** Why Trino cannot run here, or undefined. */
export function whyNoTrino() {
  return javaHome() === undefined ? `needs Java ${JAVA_MIN} or newer` : undefined;
}

function javaHome() {
  const below = existsSync("/usr/lib/jvm") ? readdirSync("/usr/lib/jvm").map((name) => join("/usr/lib/jvm", name)) : [];
  const homes = [process.env.FIRN_TRINO_JAVA_HOME, process.env.JAVA_HOME, ...below].filter(Boolean);
  return homes.find((home) => {
    const release = join(home, "release");
    const version = existsSync(release) && /^JAVA_VERSION="(\d+)/m.exec(readFileSync(release, "utf8"))?.[1];
    return Number(version) >= JAVA_MIN;
  });
}

/**
 * @param catalogUri of the REST catalog, without /v1; it is called `lake` in statements
 * @param heap of the JVM
 */
export async function startTrino({ catalogUri, heap = "1g" }) {
  const dir = mkdtempSync(join(tmpdir(), "firn-trino-"));
  const port = await freePort();
  const uri = `http://127.0.0.1:${port}`;
  const { command, args } = trinoCommand({ dir, port, catalogs: localCatalog(dir, catalogUri), heap });
  const child = spawn(command, args, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes) => (log = (log + bytes).slice(-LOG_KEPT)));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  async function stop() {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
    await exited;
    clearTimeout(timer);
    rmSync(dir, { recursive: true, force: true });
  }
  const deadline = Date.now() + START_LIMIT_MS;
  while (!(await isTrinoReady(uri))) {
    if (child.exitCode === null && Date.now() < deadline) await sleep(250);
    else {
      await stop();
      throw new Error(`Trino did not start: ${log.slice(-3_000)}`);
    }
  }
  return { pid: child.pid, sql: (statement) => askTrino(uri, statement), stop };
}

/**
 * How to start a server that listens on loopback.
 * @param dir for its settings and data
 * @param catalogs folder with a file of properties for each catalog
 */
export function trinoCommand({ dir, port, catalogs, heap = "1g" }) {
  const home = javaHome();
  if (home === undefined) throw new Error(`Trino ${whyNoTrino()}`);
  configure(dir, port);
  return { command: join(home, "bin", "java"), args: flags(ensureTrino(), { dir, catalogs, heap }) };
}

export async function isTrinoReady(uri) {
  try {
    const info = await (await fetch(`${uri}/v1/info`)).json();
    if (info.starting) return false;
    await askTrino(uri, "SELECT count(*) FROM lake.information_schema.schemata"); // it answers before it is a node that takes work
    return true;
  } catch {
    return false;
  }
}

/** Rows of a statement as Trino's protocol has them: whole numbers of 64 bits may come as numbers, kept as text here. */
export async function askTrino(uri, statement) {
  const headers = {
    "x-trino-user": "firn",
    "x-trino-client-capabilities": "PARAMETRIC_DATETIME", // else times are rounded to milliseconds
    "x-trino-time-zone": "UTC",
  };
  let answer = await exact(await fetch(`${uri}/v1/statement`, { method: "POST", headers, body: statement }));
  const rows = [];
  for (;;) {
    if (answer.error) throw new Error(`${answer.error.errorName}: ${answer.error.message}`);
    rows.push(...(answer.data ?? []).map((row) => ({ row, columns: answer.columns })));
    if (!answer.nextUri) break;
    answer = await exact(await fetch(answer.nextUri, { headers }));
  }
  return rows.map(({ row, columns }) => row.map((value, i) => plain(columns[i].typeSignature, value)));
}

/** Whole numbers beyond 2^53 lose their last digits in JSON.parse: in data they become strings first. */
async function exact(response) {
  if (!response.ok && response.status !== 503) throw new Error(`Trino answered ${response.status}`);
  const text = await response.text();
  return JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.])-?\d{16,}(?![\d.eE])/g, (part) => (part[0] === '"' ? part : `"${part}"`)),
  );
}

/** A value as the other engines' sessions write it (java/JsonText.java). */
function plain({ rawType, arguments: parts }, value) {
  if (value === null) return null;
  const typeOf = (index) => parts[index].value;
  switch (rawType) {
    case "bigint":
    case "integer":
    case "smallint":
    case "tinyint":
      return String(value);
    case "timestamp":
      return value.replace(" ", "T");
    case "timestamp with time zone":
      return value.replace(" ", "T").replace(/ (UTC|Z)$/, "Z");
    case "varbinary":
      return Buffer.from(value, "base64").toString("hex");
    case "array":
      return value.map((item) => plain(typeOf(0), item));
    case "map":
      return Object.entries(value).map(([key, item]) => [plain(typeOf(0), key), plain(typeOf(1), item)]);
    case "row":
      return Object.fromEntries(
        parts.map(({ value: field }, i) => [field.fieldName.name, plain(field.typeSignature, value[i])]),
      );
    default:
      return value;
  }
}

const lines = (settings) =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

function configure(dir, port) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    join(dir, "config.properties"),
    lines({
      coordinator: "true",
      "node-scheduler.include-coordinator": "true",
      "http-server.http.port": port,
      "node.bind-ip": "127.0.0.1",
      "node.internal-address": "127.0.0.1",
      "discovery.uri": `http://127.0.0.1:${port}`,
      "query.max-memory": "300MB",
      "query.max-memory-per-node": "300MB",
      "memory.heap-headroom-per-node": "300MB",
    }),
  );
}

/** The folder of a catalog `lake` whose files lie on this machine. */
function localCatalog(dir, catalogUri) {
  const folder = join(dir, "catalog");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "lake.properties"),
    lines({
      "connector.name": "iceberg",
      "iceberg.catalog.type": "rest",
      "iceberg.rest-catalog.uri": catalogUri,
      "fs.native-local.enabled": "true",
      "local.location": "/",
    }),
  );
  return folder;
}

function flags(server, { dir, catalogs, heap }) {
  return [
    ...["-server", `-Xmx${heap}`, "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", "-XX:ReservedCodeCacheSize=256M"],
    ...[
      "-Djdk.attach.allowAttachSelf=true",
      "-XX:+UnlockDiagnosticVMOptions",
      "-XX:G1NumCollectionsKeepPinned=10000000",
    ],
    ...["-Dfile.encoding=UTF-8", "-cp", join(server, "lib", "*"), "-Dnode.environment=firn", "-Dnode.id=firn1"],
    ...[
      `-Dnode.data-dir=${join(dir, "data")}`,
      `-Dconfig=${join(dir, "config.properties")}`,
      `-Dplugin.dir=${join(server, "plugin")}`,
    ],
    ...[`-Dcatalog.config-dir=${catalogs}`, "io.trino.server.TrinoServer"],
  ];
}
