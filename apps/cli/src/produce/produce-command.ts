import { basename } from "node:path";

import type { Dataset } from "@firn/core";
import { explainBrokers, kafkaSecurity } from "@firn/service/environment";
import { Command, InvalidArgumentError, Option } from "commander";
import kafkajs, { type Kafka } from "kafkajs";

import { runCommand, type CommandResult, type OutputOptions } from "../command.ts";
import { readConfig } from "../config.ts";
import { CommandError, EXIT } from "../exit-code.ts";
import { chosenDatasets } from "../lake-tables.ts";
import { wholeNumber } from "../option-values.ts";
import { partOf, startProgress } from "../progress.ts";
import { openInputFile } from "../replay/input-file.ts";
import { openSource } from "../replay/open-source.ts";
import { requireKind, LAKE } from "../replay/replay-command.ts";
import { avroEncoding, type EncodePayload } from "./payload-encoding.ts";
import { sendFile, type SentFile } from "./send-file.ts";

interface ProduceOptions extends OutputOptions {
  readonly brokers?: string;
  readonly lake: string;
  readonly topic?: string;
  readonly partitions: number;
  readonly format: "json" | "avro";
  readonly registry?: string;
  readonly user?: string;
  readonly device?: string;
  readonly timezone?: string;
}

const PARTITIONS = 4;
const PARTITIONS_MAX = 1_000;

const HELP = `
Sends the files that "firn replay" reads (Fitbit CSV, Apple Health export.xml, NDJSON payloads, .gz too) to a
Kafka topic: one payload a message, its user as the key. NDJSON of other lakes than health goes to the topic
NAME-data-raw with the file's name as the key, so that it keeps its order. A lake that was started with
KAFKA_BROKERS, and with KAFKA_TOPIC=health-data-raw=health,sales-data-raw=sales for two, reads them.
What is sent twice is a counted duplicate. A topic that is not there is made with --partitions.
TLS, SASL and the registry's user come from the environment, as ingest's do (KAFKA_TLS, KAFKA_SASL_…,
SCHEMA_REGISTRY_…).

Examples
  firn produce samples/health/hourlySteps.csv.gz --brokers localhost:9092
  firn produce payloads.ndjson --brokers localhost:9092 --topic health-data-raw \\
    --format avro --registry http://localhost:8081
  firn produce transactions.ndjson --lake sales --brokers localhost:9092

Exit codes: 0 all sent, 1 a file is damaged or was stopped, 2 wrong usage, 3 Kafka or the registry does not answer.`;

export function produceCommand(): Command {
  return new Command("produce")
    .summary("send files to a Kafka topic")
    .description("Sends files of samples to a Kafka topic, as clients with Kafka would.")
    .argument("<files...>", "files to send, in this order")
    .option("--brokers <list>", "HOST:PORT, several by comma; default KAFKA_BROKERS", brokers)
    .option("--lake <name>", "the lake that NDJSON is for; the other kinds are of health", LAKE)
    .option("--topic <name>", "where to send; default LAKE-data-raw")
    .option("--partitions <n>", "of a topic that has to be made", wholeNumber(PARTITIONS_MAX), PARTITIONS)
    .addOption(new Option("--format <format>", "how payloads are encoded").choices(["json", "avro"]).default("json"))
    .option("--registry <url>", "schema registry, for avro; default SCHEMA_REGISTRY_URL")
    .option("--user <id>", "the person that the samples are of (required for Apple Health)")
    .option("--device <id>", "the device that they are from")
    .option("--timezone <zone>", "IANA zone of times that name none")
    .option("--json", "print the result as JSON")
    .addHelpText("after", HELP)
    .action((files: string[], options: ProduceOptions) =>
      runCommand(options, (signal) => produce(files, options, signal)),
    );
}

function brokers(text: string): string {
  const rule = explainBrokers(text);
  if (rule !== undefined) throw new InvalidArgumentError(rule);
  return text;
}

async function produce(paths: readonly string[], options: ProduceOptions, signal: AbortSignal): Promise<CommandResult> {
  const dataset = chosenDatasets(options.lake)[0]!;
  const topic = options.topic ?? `${dataset.name}-data-raw`;
  const inputs = [];
  for (const path of paths) {
    const file = await openInputFile(path);
    const source = openSource(file, options, dataset.payload.records);
    requireKind(path, source.kind, dataset.name);
    inputs.push({ file, source, keyOfNobody: dataset.name === LAKE ? null : basename(path) });
  }
  const kafka = connect(options);
  const encode = await encodingOf(options, dataset, topic);
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const progress = startProgress(
    "produce",
    inputs.reduce((sum, { file }) => sum + file.bytes, 0),
  );
  const sent: SentFile[] = [];
  try {
    await makeTopic(kafka, topic, options.partitions);
    await producer.connect();
    let before = 0;
    for (const { file, source, keyOfNobody } of inputs) {
      const target = { producer, topic, encode, keyOfNobody, signal };
      sent.push(await sendFile(file, source, target, partOf(progress, before)));
      before += file.bytes;
    }
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSError)) throw error;
    throw new CommandError(EXIT.broken, `Kafka: ${error.message}`, { cause: error });
  } finally {
    progress.end();
    await producer.disconnect();
  }
  return resultOf(sent, topic);
}

function connect(options: ProduceOptions): Kafka {
  const { kafka } = readConfig();
  const list = options.brokers ?? kafka.kafkaBrokers;
  if (list === undefined)
    throw new CommandError(EXIT.usage, "say where Kafka is: --brokers HOST:PORT or KAFKA_BROKERS");
  return new kafkajs.Kafka({
    clientId: "firn-produce",
    brokers: list.split(",").map((broker) => broker.trim()),
    logLevel: kafkajs.logLevel.NOTHING,
    ...kafkaSecurity(kafka),
  });
}

async function encodingOf(
  { format, registry }: ProduceOptions,
  dataset: Dataset,
  topic: string,
): Promise<EncodePayload> {
  if (format === "json") return (bytes) => Buffer.from(bytes);
  const { kafka } = readConfig();
  const url = registry ?? kafka.registryUrl;
  if (url === undefined) {
    throw new CommandError(EXIT.usage, "avro needs a schema registry: --registry URL or SCHEMA_REGISTRY_URL");
  }
  return avroEncoding(dataset, url, topic, { username: kafka.registryUsername, password: kafka.registryPassword });
}

/** Where it may not be made by us, it may be by the first message: whether it is there shows then. */
async function makeTopic(kafka: Kafka, topic: string, partitions: number): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if ((await admin.listTopics()).includes(topic)) return;
    const made = admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
    await made.catch(() => undefined);
  } finally {
    await admin.disconnect();
  }
}

function resultOf(sent: readonly SentFile[], topic: string): CommandResult {
  const sum = (of: (file: SentFile) => number) => sent.reduce((total, file) => total + of(file), 0);
  const number = (value: number) => value.toLocaleString("en-US");
  return {
    exitCode: sent.some(({ problems }) => problems.length > 0) ? EXIT.no : EXIT.done,
    json: { topic, messages: sum(({ messages }) => messages), samples: sum(({ samples }) => samples), files: sent },
    text: sent
      .flatMap(({ file, messages, samples, asJson, skipped, problems }) => [
        `${file}: ${number(samples)} samples in ${number(messages)} messages to ${topic}`,
        ...(asJson > 0 ? [`  ${number(asJson)} did not fit the Avro schema and went as JSON`] : []),
        ...Object.entries(skipped).map(([what, count]) => `  skipped ${number(count)}: ${what}`),
        ...problems.map((problem) => `  ${problem}`),
      ])
      .join("\n"),
  };
}
