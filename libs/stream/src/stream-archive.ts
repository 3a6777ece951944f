import { open, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { connectNats, inboxPrefixOf, type ConnectOptions } from "./connect-streams.ts";
import { identityOf, IDENTITY_KEY } from "./jetstream-stream.ts";
import { fromBroker, fromClient, type BrokerError } from "./nats-errors.ts";
import { StreamError } from "./stream-error.ts";

/** Names of the files, and what is in them, are those of the `nats` command line, which restores these copies too. */
const DESCRIPTION_FILE = "backup.json";
const CONTENT_FILE = "stream.tar.s2";
const CHUNK_BYTES = 128 * 1024;
/** The server takes its time where it checks every message, or writes a large stream. */
const ANSWER_LIMIT_MS = 120_000;
/** The server ends a copy with an empty message of this status. */
const STATUS_DONE = 204;

/** A stream in a copy: how many messages it has, and the sequence of its last. */
export interface ArchivedStream {
  readonly name: string;
  readonly messages: number;
  readonly lastSequence: number;
}

/** What the server says of a stream, as far as it matters here (JSApiStreamSnapshotResponse, StreamInfo of nats-server). */
interface Description {
  readonly config: StreamConfig;
  readonly state: { readonly messages: number; readonly last_seq: number };
}

type Info = Description & Pick<StreamInfo, "created">;

type Answer<T> = T & { readonly error?: BrokerError };

/**
 * Copies every stream that lies on disk into a folder of its name below `folder`: all messages with their sequences, the
 * configuration and its identity, so that positions hold for it after `restoreStreams`. Later stages come first:
 * whatever a copy says of its input is in the copy of the input, also where services run meanwhile. What lies in the
 * broker's memory is left out: nothing rests on it.
 * @throws StreamError `invalid` where the folder has a copy already, or the user may not copy
 */
export async function backupStreams(options: ConnectOptions, folder: string): Promise<readonly ArchivedStream[]> {
  return withNats(options, async (nc) => {
    const infos = (await streamsOnDisk(nc)).sort((one, other) => stageOf(other) - stageOf(one));
    await mkdir(folder, { recursive: true });
    const present = new Set(await readdir(folder));
    const taken = infos.map(({ config }) => config.name).filter((name) => present.has(name));
    if (taken.length > 0) throw new StreamError("invalid", `${folder} has a copy of ${taken.join(", ")} already`);
    const copies: ArchivedStream[] = [];
    for (const info of infos) copies.push(await backupStream(nc, info, folder, createInbox(inboxPrefixOf(options))));
    return copies;
  });
}

/**
 * Makes the streams of a folder that `backupStreams` has written, as they were.
 * @throws StreamError `invalid` where one of them is there already: then nothing was made
 */
export async function restoreStreams(options: ConnectOptions, folder: string): Promise<readonly ArchivedStream[]> {
  return withNats(options, async (nc) => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("."));
    if (names.length === 0) throw new StreamError("invalid", `${folder} has no copy of a stream`);
    const copies = await Promise.all(names.map(({ name }) => readDescription(join(folder, name))));
    const present = new Set(await streamNames(nc));
    const taken = copies.map(({ config }) => config.name).filter((name) => present.has(name));
    if (taken.length > 0) {
      throw new StreamError("invalid", `the broker has ${taken.join(", ")} already: restore into one that is empty`);
    }
    const restored: ArchivedStream[] = [];
    for (const copy of copies) restored.push(await restoreStream(nc, copy, join(folder, copy.config.name)));
    return restored;
  });
}

async function withNats<T>(options: ConnectOptions, work: (nc: NatsConnection) => Promise<T>): Promise<T> {
  const nc = await connectNats(options);
  try {
    return await work(nc);
  } catch (error) {
    throw fromClient(error, "unavailable", {});
  } finally {
    await nc.close();
  }
}

/** How far along the way of the data a stream lies. */
function stageOf({ config }: Description): number {
  return ["INTAKE", "VALIDATED", "ROLLUP"].indexOf(config.name);
}

async function streamNames(nc: NatsConnection): Promise<string[]> {
  const names: string[] = [];
  for (let total = 1; names.length < total;) {
    const page = await ask<{ streams: string[] | null; total: number }>(nc, "STREAM.NAMES", { offset: names.length });
    if (!page.streams?.length) break;
    names.push(...page.streams);
    total = page.total;
  }
  return names;
}

async function streamsOnDisk(nc: NatsConnection): Promise<Info[]> {
  const infos: Info[] = [];
  for (const name of await streamNames(nc)) infos.push(await ask<Info>(nc, `STREAM.INFO.${name}`, {}));
  return infos.filter(({ config }) => config.storage !== "memory");
}

async function ask<T>(nc: NatsConnection, api: string, request: object): Promise<T> {
  const answer = await nc.request(`$JS.API.${api}`, JSON.stringify(request), { timeout: ANSWER_LIMIT_MS });
  return checked<T>(answer, api);
}

function checked<T>(message: Msg, api: string): T {
  const answer = message.json<Answer<T>>();
  if (answer.error) throw fromBroker(answer.error, { api });
  return answer;
}

/**
 * Into a folder beside the right one first: what stands there is whole. The server gives a stream that it restores
 * another time of making, so the identity goes along in the metadata of its configuration.
 */
async function backupStream(nc: NatsConnection, info: Info, folder: string, inbox: string): Promise<ArchivedStream> {
  const { name } = info.config;
  const unfinished = join(folder, `.${name}.unfinished`);
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  const chunks = nc.subscribe(inbox);
  try {
    const request = { deliver_subject: inbox, no_consumers: true, chunk_size: CHUNK_BYTES, jsck: true };
    const description = await ask<Description>(nc, `STREAM.SNAPSHOT.${name}`, request);
    const metadata = { ...description.config.metadata, [IDENTITY_KEY]: identityOf(info) };
    const described = { ...description, config: { ...description.config, metadata } };
    await writeFile(join(unfinished, DESCRIPTION_FILE), JSON.stringify(described, null, 2));
    await writeChunks(chunks, join(unfinished, CONTENT_FILE), name);
    await rename(unfinished, join(folder, name));
    return archived(description);
  } finally {
    chunks.unsubscribe();
  }
}

/** Each chunk is acknowledged once it is written; an empty message ends it well or badly. */
async function writeChunks(chunks: AsyncIterable<Msg>, path: string, stream: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for await (const chunk of chunks) {
      if (chunk.data.length > 0) {
        await file.write(chunk.data);
        chunk.respond();
        continue;
      }
      const { code = STATUS_DONE, description = "" } = chunk.headers ?? {};
      if (code !== STATUS_DONE && code !== 0) {
        throw new StreamError("unavailable", `the copy of ${stream} ended early: ${code} ${description}`, { stream });
      }
      await file.sync();
      return;
    }
    throw new StreamError("unavailable", `the copy of ${stream} ended early: the connection is gone`, { stream });
  } finally {
    await file.close();
  }
}

async function readDescription(folder: string): Promise<Description> {
  return JSON.parse(await readFile(join(folder, DESCRIPTION_FILE), "utf8")) as Description;
}

async function restoreStream(nc: NatsConnection, copy: Description, folder: string): Promise<ArchivedStream> {
  const { config, state } = copy;
  const api = `STREAM.RESTORE.${config.name}`;
  const { deliver_subject: subject } = await ask<{ deliver_subject: string }>(nc, api, { config, state });
  const file = await open(join(folder, CONTENT_FILE));
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES);
      const chunk = Uint8Array.from(buffer.subarray(0, bytesRead));
      const answer = await nc.request(subject, chunk, { timeout: ANSWER_LIMIT_MS });
      if (answer.data.length > 0) checked(answer, api);
      if (bytesRead === 0) break;
    }
  } finally {
    await file.close();
  }
  const restored = await ask<Description>(nc, `STREAM.INFO.${config.name}`, {});
  if (restored.state.last_seq !== state.last_seq || restored.state.messages !== state.messages) {
    const message = `${config.name} has ${restored.state.messages} messages up to ${restored.state.last_seq}, its copy has ${state.messages} up to ${state.last_seq}`;
    throw new StreamError("invalid", message, { stream: config.name });
  }
  return archived(restored);
}

function archived({ config, state }: Description): ArchivedStream {
  return { name: config.name, messages: state.messages, lastSequence: state.last_seq };
}
