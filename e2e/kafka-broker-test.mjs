// What only a real broker shows, in one lake that reads it by TLS, with certificates of the site's own authority on both sides:
// every compression of Java's producer; transactions, committed and aborted, whose markers count as nothing that waits;
// offsets that the broker no longer keeps, and a topic that was made anew, which are parked and go on by order; a broker
// that is not trusted, a client without a certificate, a login; and sales in Avro by `firn produce`, cut by transaction, with corrections.
//
//   node e2e/kafka-broker-test.mjs
//
// The last line counts. Needs Java 17 (a JDK) and mvn (tools/kafka-servers.mjs).
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import kafkajs from "kafkajs";
import { settled, startLake } from "../bench/load/lake.mjs";
import { SASL_USER, startKafka, startRegistry, whyNoKafka } from "../tools/kafka-servers.mjs";
import { helpIfAsked } from "../tools/script-options.mjs";

const root = join(import.meta.dirname, "..");
const limitMs = 300_000;
/** Longer than anything here takes: the broker would end the transaction that holds others back. */
const transactionLimitMs = 800_000;
const say = (text) => process.stderr.write(`${text}\n`);

helpIfAsked();
const why = whyNoKafka();
if (why !== undefined) {
  console.log(`${why}: Kafka is not tested\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
let passed = 0;
let failed = 0;
const [kafka, registry] = await Promise.all([startKafka({ say, tls: true }), startRegistry({ say })]);
const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
const admin = client.admin();
const topics = ["packed", "traded", "old", "anew"];
await admin.connect();
await makeTopics([...topics, "sales-data-raw"]);
const access = {
  KAFKA_BROKERS: kafka.tlsBrokers,
  KAFKA_TLS: "true",
  KAFKA_TLS_CA: kafka.caFile,
  KAFKA_TLS_CERT: kafka.certFile,
  KAFKA_TLS_KEY: kafka.keyFile,
  KAFKA_TOPIC: [...topics.map((topic) => `${topic}=health`), "sales-data-raw=sales"].join(),
  KAFKA_SESSION_TIMEOUT_MS: "6000",
  SCHEMA_REGISTRY_URL: registry.url,
};
const lake = await startLake({ name: "kafka-broker-test", env: access });
/** Samples that were sent, and shall be in raw. */
let stored = 0;
try {
  await step("every compression of a producer", packed);
  await step("transactions", transactions);
  await step("an offset below the first that is kept", belowRetained);
  await step("a topic that was made anew", madeAnew);
  await step("a broker that is not trusted", () => expectNoWay({ KAFKA_TLS_CA: "" }));
  await step("a client without a certificate", () => expectNoWay({ KAFKA_TLS_CERT: "", KAFKA_TLS_KEY: "" }));
  await step("a login by TLS", loginByTls);
  await step("sales in Avro", salesInAvro);
} finally {
  await lake.stop({ keep: failed > 0 });
  await admin.disconnect();
  await Promise.all([kafka.stop(), registry.stop()]);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function step(name, run) {
  const startMs = performance.now();
  try {
    await run();
    passed++;
    console.log(`  ok    ${name} (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`  FAIL  ${name}: ${error.stack}`);
  }
}

async function makeTopics(names) {
  const made = names.map((topic) => ({ topic, numPartitions: topic === "sales-data-raw" ? 3 : 1 }));
  await admin.createTopics({ topics: made, waitForLeaders: false });
  // Of a topic that was there before the client may still say for a while that it is not.
  await waitFor(async () => (await admin.fetchTopicMetadata({ topics: names })).topics.length > 0, "the topics");
}

function payload(name, value = 60) {
  const at = "2026-03-01T08:00:00Z";
  const sample = { id: name, type: "heartRate", value, unit: "count/min", startDate: at, endDate: at };
  return JSON.stringify({ deviceId: "broker", userId: `user-${name}`, samples: [sample] });
}

function payloads(prefix, count) {
  return Array.from({ length: count }, (_, at) => payload(`${prefix}-${at}`));
}

/** @param transaction "commit", "abort" or "none" */
function sendByJava(sends) {
  const lines = sends.flatMap(({ topic, compression = "none", transaction = "none", values }) =>
    values.map((value) => [topic, compression, transaction, value].join("\t")),
  );
  kafka.runJava(join(root, "e2e", "support", "SendToKafka.java"), [kafka.brokers], `${lines.join("\n")}\n`);
}

async function send(topic, values) {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value })) });
  await producer.disconnect();
}

/** Settled, with so many samples stored in all and nothing else counted. */
async function expectStored(count) {
  stored += count;
  const { datasets, lag } = await settled(lake.endpoints, limitMs);
  const expected = { received: stored, stored, corrected: 0, duplicates: 0, rejected: 0, deleted: 0 };
  equal(datasets.health, expected, "counts");
  equal(lag, { intake: 0, accepted: 0, rejected: 0, rollup: 0 }, "lag");
}

function equal(found, expected, what) {
  const [one, other] = [found, expected].map((value) => JSON.stringify(value));
  if (one !== other) throw new Error(`${what}: ${one}, expected ${other}`);
}

async function packed() {
  const compressions = ["none", "gzip", "snappy", "lz4", "zstd"];
  sendByJava(compressions.map((compression) => ({ topic: "packed", compression, values: payloads(compression, 400) })));
  await expectStored(5 * 400);
}

async function transactions() {
  const of = (transaction, name, count) => ({ topic: "traded", transaction, values: payloads(name, count) });
  sendByJava([of("commit", "kept", 30), of("abort", "dropped", 20)]);
  await expectStored(30);
  // Markers are the last records of the partition, and the position of a lake that was away is still behind them.
  sendByJava([of("abort", "dropped-too", 5), of("commit", "kept-too", 7), of("abort", "dropped-last", 5)]);
  process.kill(pidOfIngest(), "SIGKILL");
  await expectStored(7);
}

/** The broker lets messages go that ingest has not read, because a transaction before them was open. */
async function belowRetained() {
  await send("old", payloads("read", 50));
  await expectStored(50);
  const holder = client.producer({
    transactionalId: "holds",
    transactionTimeout: transactionLimitMs,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await holder.connect();
  const open = await holder.transaction();
  await open.send({ topic: "old", messages: [{ value: payload("held") }] });
  try {
    await send("old", payloads("unread", 49));
    // The client finds a topic's leader only where it has asked for it before.
    await admin.fetchTopicOffsets("old");
    await admin.deleteTopicRecords({ topic: "old", partitions: [{ partition: 0, offset: "80" }] });
    await expectParked("kafka.old.0", "Kafka no longer has offset 50, which is the next: its first is 80");
  } finally {
    await open.abort().catch(() => undefined);
    await holder.disconnect();
  }
  await firn("resume", "kafka.old.0", "--accept-loss");
  await expectStored(20);
}

async function madeAnew() {
  await send("anew", payloads("first", 30));
  await expectStored(30);
  await admin.deleteTopics({ topics: ["anew"] });
  await waitFor(async () => !(await admin.listTopics()).includes("anew"), "the topic to be gone");
  await makeTopics(["anew"]);
  await send("anew", payloads("second", 40));
  await expectParked("kafka.anew.0", "the topic was made anew");
  await firn("resume", "kafka.anew.0", "--accept-loss");
  await expectStored(40);
}

/** `firn produce` ends as it does where Kafka cannot be reached. */
async function expectNoWay(env) {
  const { code, output } = await firnEnds(env, ...produce("no-way.ndjson", "health", [payload("no-way")]));
  equal(code, 3, `exit code of firn produce (${output})`);
}

/** SCRAM-SHA-512 instead of a certificate: by TLS, and with a password that is not the right one. */
async function loginByTls() {
  const env = {
    KAFKA_BROKERS: kafka.tlsLoginBrokers,
    KAFKA_TLS_CERT: "",
    KAFKA_TLS_KEY: "",
    KAFKA_SASL_MECHANISM: "scram-sha-512",
    KAFKA_SASL_USERNAME: SASL_USER.username,
    KAFKA_SASL_PASSWORD: SASL_USER.password,
  };
  await expectNoWay({ ...env, KAFKA_SASL_PASSWORD: "another" });
  const file = produce("login.ndjson", "health", payloads("login", 3));
  const { code, output } = await firnEnds({ ...env, KAFKA_TOPIC: "packed" }, ...file, "--topic", "packed");
  equal(code, 0, `exit code of firn produce (${output})`);
  await expectStored(3);
}

async function salesInAvro() {
  const sale = (n, quantity = 1 + (n % 5)) => {
    const id = `t-${n}`;
    const price = 9.99 + (n % 7);
    const date = `2026-02-0${1 + (n % 9)}`;
    const amount = quantity * price;
    return { transaction_id: id, transaction_date: date, product_id: n % 11, quantity, unit_price: price, amount };
  };
  const many = (from, count, change) =>
    JSON.stringify({ source: "till", transactions: Array.from({ length: count }, (_, at) => sale(from + at, change)) });
  // Later payloads correct single transactions of earlier ones, which other payloads brought in company.
  const lines = [...Array.from({ length: 10 }, (_, n) => many(n * 40, 40)), ...[7, 58, 199].map((n) => many(n, 1, 90))];
  const { code, output } = await firnEnds({}, ...produce("sales.ndjson", "sales", lines));
  equal(code, 0, `exit code of firn produce (${output})`);
  if (output.includes("went as JSON")) throw new Error(output);
  const { datasets } = await settled(lake.endpoints, limitMs);
  const expected = { received: 403, stored: 400, corrected: 3, duplicates: 0, rejected: 0, deleted: 0 };
  equal(datasets.sales, expected, "counts");
  const corrected = await (await fetch(`${lake.endpoints.query}/api/sales/raw?product_id=3&limit=1000`)).json();
  equal(corrected.data.find((row) => row.transaction_id === "t-58")?.quantity, 90, "the correction");
  const { data } = await (await fetch(`${lake.endpoints.query}/api/sales/compare`)).json();
  equal(data.equal, true, "raw and summary");
}

function produce(file, dataset, lines) {
  const path = join(lake.dir, file);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return ["produce", path, "--lake", dataset, "--format", "avro"];
}

function pidOfIngest() {
  return JSON.parse(readFileSync(join(lake.dir, "endpoints.json"), "utf8")).pids.ingest;
}

async function expectParked(shard, reason) {
  await waitFor(async () => {
    const { parked } = await (await fetch(`${lake.endpoints.query}/api/pipeline`)).json();
    return parked.some((one) => one.shard === shard && one.reason.includes(reason));
  }, `${shard} to be parked: ${reason}`);
}

async function waitFor(condition, what) {
  const deadline = Date.now() + limitMs;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(100);
  }
}

async function firn(...args) {
  const { code, output } = await firnEnds({}, ...args, "--data-dir", lake.dir);
  equal(code, 0, `exit code of firn ${args.join(" ")} (${output})`);
}

function firnEnds(env, ...args) {
  const options = { env: { ...process.env, ...access, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, "firn.mjs"), ...args], options, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, output: stdout + stderr }),
    );
  });
}
