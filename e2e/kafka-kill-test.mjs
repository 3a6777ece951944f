// Kills ingest while it reads Kafka, and lets its consumer group rebalance, and checks that nothing is lost or doubled.
//
//   node e2e/kafka-kill-test.mjs [--seed N] [--samples N] [--kills N] [--json]
//
// A real broker (KRaft) and a real schema registry are started, a lake reads them with SASL. Samples go in as JSON and
// as Avro of two schemas, with keys that are not the user now and then, and bad ones among them: bad samples, and whole
// messages that cannot be read. Meanwhile ingest is killed with SIGKILL, and a second ingest joins the group and leaves
// it. In the end every good sample is in raw once, no duplicate was counted, and every bad one is a dead letter with its
// very bytes, topic, partition and offset. Exit 0 when all of it is so. Needs Java 17 and mvn (tools/kafka-servers.mjs).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import kafkajs from "kafkajs";
import { random } from "../bench/load/health-samples.mjs";
import { settled, startLake } from "../bench/load/lake.mjs";
import { SASL_USER, startKafka, startRegistry, whyNoKafka } from "../tools/kafka-servers.mjs";
import { avroSchemas, makeMessages } from "./support/kafka-messages.mjs";
import { scriptOptions } from "../tools/script-options.mjs";

const options = scriptOptions({
  seed: { type: "string", default: "1" },
  samples: { type: "string", default: "200000" },
  kills: { type: "string", default: "10" },
  json: { type: "boolean", default: false },
});
const [seed, samples, kills] = [options.seed, options.samples, options.kills].map(Number);
const root = join(import.meta.dirname, "..");
const topic = "health-data-raw";
const partitions = 6;
const pauseMs = { min: 1_000, max: 2_500 };
const problemsShownMax = 20;
const say = (text) => process.stderr.write(`${text}\n`);

const why = whyNoKafka();
if (why !== undefined) {
  console.log(`${why}: Kafka is not tested\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}
const draw = random(seed * 11 + 5);
const [kafka, registry] = await Promise.all([startKafka({ say }), startRegistry({ say })]);
const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
await makeTopic();
const messages = makeMessages({ samples, seed, writers: await registerSchemas() });
const access = (mechanism) => ({
  KAFKA_BROKERS: kafka.saslBrokers,
  KAFKA_TOPIC: topic,
  KAFKA_GROUP_ID: "kill-test",
  KAFKA_SESSION_TIMEOUT_MS: "3000",
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: SASL_USER.username,
  KAFKA_SASL_PASSWORD: SASL_USER.password,
  SCHEMA_REGISTRY_URL: registry.url,
});
const lake = await startLake({ name: "kafka-kill-test", env: access("scram-sha-256") });
const endpointsNow = () => JSON.parse(readFileSync(join(lake.dir, "endpoints.json"), "utf8"));
const started = performance.now();
let report;
try {
  const state = { sending: true };
  const [, killed, rebalances] = await Promise.all([sendAll(state), killIngest(), joinAndLeave(state)]);
  const pipeline = await settled(endpointsNow());
  const counts = pipeline.datasets.health;
  const [lost, letters] = [await wrongRows(), await wrongLetters()];
  report = {
    seed,
    messages: messages.length,
    ...expectedOf(messages),
    killed,
    rebalances,
    counts,
    lag: pipeline.lag,
    deadLetters: letters.count,
    seconds: Math.round((performance.now() - started) / 100) / 10,
    problems: [...wrongCounts(counts), ...lost, ...letters.problems],
  };
} finally {
  const keep = (report?.problems.length ?? 1) > 0;
  if (keep) say(`the lake is kept in ${lake.dir}`);
  await lake.stop({ keep });
  await Promise.all([kafka.stop(), registry.stop()]);
}
console.log(options.json ? JSON.stringify(report) : summary(report));
process.exit(report.problems.length === 0 ? 0 : 1);

function summary({ killed, rebalances, counts, good, bad, deadLetters, seconds, problems }) {
  return [
    `seed ${seed}: ${good + bad} records in ${messages.length} messages (${good} good samples, ${bad} bad ones)`,
    `ingest killed ${killed}×, a second one joined and left the group ${rebalances}×, ${seconds} s`,
    `counts ${JSON.stringify(counts)}`,
    `dead letters ${deadLetters} of ${bad}, each with its bytes, topic, partition and offset`,
    ...(problems.length === 0
      ? ["0 lost, 0 doubled"]
      : [`${problems.length} problems`, ...problems.slice(0, problemsShownMax)]),
  ].join("\n");
}

function expectedOf(all) {
  const sum = (of) => all.reduce((total, message) => total + of(message), 0);
  return { good: sum((message) => message.good.length), bad: sum((message) => message.bad) };
}

async function makeTopic() {
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
}

/** By a client that is not ours. */
async function registerSchemas() {
  const api = new SchemaRegistry({ host: registry.url });
  return Promise.all(
    avroSchemas.map(async (schema, version) => {
      const subject = `${topic}-value-${version}`;
      const { id } = await api.register({ type: SchemaType.AVRO, schema: JSON.stringify(schema) }, { subject });
      return { id, type: avsc.Type.forSchema(schema, { wrapUnions: false }) };
    }),
  );
}

/** For a little longer than is killed. */
async function sendAll(state) {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const steps = kills * 8 + 1;
  const size = Math.ceil(messages.length / steps);
  const sendingMs = ((pauseMs.min + pauseMs.max) / 2) * kills + pauseMs.max;
  for (let step = 0; step * size < messages.length; step++) {
    const dueMs = started + (step / steps) * sendingMs - performance.now();
    if (dueMs > 0) await sleep(dueMs);
    const compression = step % 2 === 0 ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.None;
    const some = messages.slice(step * size, (step + 1) * size).map(({ key, value }) => ({ key, value }));
    await producer.send({ topic, messages: some, compression });
  }
  await producer.disconnect();
  state.sending = false;
  say(`all sent after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

async function killIngest() {
  for (let kill = 0; kill < kills; kill++) {
    await sleep(pauseMs.min + draw() * (pauseMs.max - pauseMs.min));
    await killWhenAlive();
    say("killed ingest");
  }
  return kills;
}

async function killWhenAlive() {
  for (let look = 0; ; look++) {
    try {
      return process.kill(endpointsNow().pids.ingest, "SIGKILL");
    } catch (error) {
      if (look > 600) throw error;
      await sleep(50);
    }
  }
}

/** A second ingest, again and again, ended in order or killed. */
async function joinAndLeave(state) {
  const env = {
    ...process.env,
    ...access("plain"),
    NATS_URL: lake.endpoints.nats,
    FIRN_PORT: "0",
    FIRN_DATA_DIR: join(lake.dir, "second-ingest"),
  };
  const main = join(root, "apps", "ingest", "dist", "main.js");
  for (let times = 1; ; times++) {
    const child = spawn(process.execPath, [main], { env, stdio: "ignore" });
    const exited = once(child, "exit");
    await sleep(3_000 + draw() * 2_000);
    child.kill(times % 3 === 0 ? "SIGKILL" : "SIGTERM");
    await exited;
    if (!state.sending) return times;
    await sleep(500 + draw() * 1_000);
  }
}

function wrongCounts(counts) {
  const { good, bad } = expectedOf(messages);
  const expected = { received: good + bad, stored: good, corrected: 0, duplicates: 0, rejected: bad, deleted: 0 };
  const isRight = Object.entries(expected).every(([name, count]) => counts[name] === count);
  return isRight ? [] : [`counts are ${JSON.stringify(counts)}, expected ${JSON.stringify(expected)}`];
}

/** Every row of raw against what was sent. */
async function wrongRows() {
  const left = new Map(messages.flatMap(({ user, good }) => good.map(({ id, value }) => [`${user} ${id}`, value])));
  const problems = [];
  const script = [join(root, "tools", "run-ts.mjs"), join(root, "e2e", "support", "print-rows.ts"), lake.dir];
  const reader = spawn(process.execPath, [...script, "health_data_raw", "user_id", "sample_id", "value"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(reader, "exit");
  for await (const line of createInterface({ input: reader.stdout })) {
    const [user, id, value] = JSON.parse(line);
    const key = `${user} ${id}`;
    if (left.get(key) !== value) problems.push(`${key} is ${value}: doubled, or never sent so`);
    left.delete(key);
  }
  const [exitCode] = await ended;
  if (exitCode !== 0) problems.push(`raw could not be read: exit code ${exitCode}`);
  for (const key of left.keys()) problems.push(`${key} is lost`);
  return problems;
}

/** Every dead letter against the message of Kafka that it names, and every bad message against its dead letters. */
async function wrongLetters() {
  const inKafka = await readTopic();
  const sent = new Map(messages.map((message) => [message.value?.toString("base64") ?? "", message]));
  const left = new Map();
  for (const [place, value] of inKafka) left.set(place, sent.get(value.toString("base64"))?.bad ?? 0);
  const problems = [];
  const letters = await readLetters();
  for (const letter of letters) {
    const place = `${letter.kafka_partition}/${letter.kafka_offset}`;
    const value = inKafka.get(place);
    const message = value && sent.get(value.toString("base64"));
    const raw = bytesOf(letter.raw_payload);
    if (letter.kafka_topic !== topic || message === undefined)
      problems.push(`a dead letter names ${place}, which is none`);
    else if (message.errorType !== letter.error_type) {
      problems.push(`${place} is a ${letter.error_type}, expected ${message.errorType}: ${letter.error_message}`);
    } else if (!(message.whole ? raw.equals(value) : value.includes(raw) && raw.length < value.length)) {
      problems.push(`${place} does not have its bytes`);
    }
    left.set(place, (left.get(place) ?? 0) - 1);
  }
  for (const [place, count] of left) if (count !== 0) problems.push(`${place} has ${count} dead letters too few`);
  return { count: letters.length, problems };
}

function bytesOf(raw) {
  return raw.startsWith("base64:") ? Buffer.from(raw.slice("base64:".length), "base64") : Buffer.from(raw);
}

async function readLetters() {
  const letters = [];
  for (let cursor; ;) {
    const parameters = new URLSearchParams({ limit: "10000", ...(cursor && { cursor }) });
    const answer = await fetch(`${endpointsNow().query}/api/health/errors?${parameters}`);
    if (!answer.ok) throw new Error(`errors answered ${answer.status}: ${await answer.text()}`);
    const body = await answer.json();
    letters.push(...body.data);
    cursor = body.page.cursor;
    if (!cursor) return letters;
  }
}

/** Everything that Kafka has, by `partition/offset`. */
async function readTopic() {
  const consumer = client.consumer({ groupId: "check" });
  const values = new Map();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ partition, message }) => {
      values.set(`${partition}/${message.offset}`, message.value ?? Buffer.alloc(0));
      if (values.size === messages.length) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  await consumer.disconnect();
  return values;
}
