import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { ensureNatsServer } from "../../../tools/nats-server.mjs";
import { Child } from "./child-process.ts";
import { waitFor } from "./wait-for.ts";

const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;

let binary: Promise<string> | undefined;

/** Path of a nats-server ≥ 2.15.0: NATS_SERVER_BIN, PATH, the cache, or fetched into the cache (tools/nats-server.mjs). */
export function natsServerBinary(): Promise<string> {
  binary ??= ensureNatsServer();
  return binary;
}

export interface NatsServerOptions {
  /** Where streams, configuration and log go; the same folder again starts with the same streams. */
  dir: string;
  /** The client port; a free one when absent. A restart keeps it. */
  port?: number;
  /** Sync each write to disk before it is acknowledged; true by default. */
  syncAlways?: boolean;
  /** Bytes; 8 MB by default. */
  maxPayload?: number;
  /** What all streams together may hold, in bytes; 20 GB by default. */
  maxFileBytes?: number;
  /** Path of more configuration, as users and their permissions, and the variables that it names. */
  include?: { readonly file: string; readonly env: Readonly<Record<string, string>> };
}

export interface NatsServer {
  readonly url: string;
  readonly monitorUrl: string;
  /** Of the process that runs now; changes with each restart. */
  readonly pid: number;
  /** What the server logged since it was started first. */
  log(): Promise<string>;
  /** Ends it in order (SIGTERM). */
  stop(): Promise<void>;
  /** Ends it at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts it again on the same ports and folder; one that still runs is killed first. */
  restart(): Promise<void>;
}

interface Ports {
  client: number;
  monitor: number;
}

/** Starts a nats-server with JetStream on ports of its own and waits until it answers. */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  const path = await natsServerBinary();
  await mkdir(options.dir, { recursive: true });
  const logFile = join(options.dir, "nats-server.log");
  let { child, ports } = await launch(path, options, { client: options.port ?? -1, monitor: -1 });
  return {
    url: `nats://127.0.0.1:${ports.client}`,
    monitorUrl: `http://127.0.0.1:${ports.monitor}`,
    get pid() {
      return child.pid;
    },
    log: () => readFile(logFile, "utf8"),
    stop: async () => void (await child.stop(STOP_LIMIT_MS)),
    kill: async () => void (await child.kill()),
    async restart() {
      if (!child.hasExited) await child.kill();
      ({ child, ports } = await launch(path, options, ports));
    },
  };
}

async function launch(path: string, options: NatsServerOptions, asked: Ports): Promise<{ child: Child; ports: Ports }> {
  const { dir, syncAlways = true, maxPayload = 8 * 1024 * 1024, maxFileBytes = 20 * 1024 ** 3 } = options;
  const config = join(dir, "nats-server.conf");
  const lines = [
    `listen: "127.0.0.1:${asked.client}"`,
    `http: "127.0.0.1:${asked.monitor}"`,
    `max_payload: ${maxPayload}`,
    `ports_file_dir: ${JSON.stringify(dir)}`,
    `jetstream {`,
    `  store_dir: ${JSON.stringify(join(dir, "jetstream"))}`,
    ...(syncAlways ? ["  sync_interval: always"] : []),
    `  max_mem: ${256 * 1024 ** 2}`,
    `  max_file: ${maxFileBytes}`,
    `}`,
    // The path is taken from the folder of this file.
    ...(options.include ? [`include ${JSON.stringify(relative(dir, options.include.file))}`] : []),
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "pipe"];
  const env = { ...process.env, ...options.include?.env };
  const child = new Child(path, ["-c", config], { stdio, env, logFile: join(dir, "nats-server.log") });
  try {
    const ports = await waitUntilReady(child, dir);
    await assertDurability(ports, syncAlways);
    return { child, ports };
  } catch (error) {
    await child.kill();
    throw error;
  }
}

/** The server writes down its ports when it listens on them. */
async function waitUntilReady(child: Child, dir: string): Promise<Ports> {
  const file = join(dir, `nats-server_${child.pid}.ports`);
  const look = async () => {
    if (child.hasExited) return "ended";
    const found = JSON.parse(await readFile(file, "utf8")) as { nats: string[]; monitoring: string[] };
    const [client, monitor] = [found.nats[0], found.monitoring[0]];
    return client && monitor && { client: portOf(client), monitor: portOf(monitor) };
  };
  const ports = await waitFor(look, { limitMs: START_LIMIT_MS, everyMs: 5, what: "the start of nats-server" });
  child.assertAlive("nats-server");
  await rm(file, { force: true });
  return ports as Ports;
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** An older server ignores settings that it does not know: look whether this one took ours. */
async function assertDurability({ monitor }: Ports, syncAlways: boolean): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${monitor}/varz`);
  const varz = (await answer.json()) as { jetstream?: { config?: { sync_always?: boolean } } };
  const actual = varz.jetstream?.config?.sync_always ?? false;
  if (actual !== syncAlways) throw new Error(`nats-server runs with sync_always ${actual}, not ${syncAlways}`);
}
