import { type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
import { backOffMs, pause } from "./back-off.ts";
import type { StreamConnection } from "./connection.ts";
import { connectFramed } from "./framed-transport.ts";
import { NatsLink } from "./nats-link.ts";
import { NatsStreams } from "./nats-streams.ts";
import { StreamError } from "./stream-error.ts";

/** The oldest server that stores an atomic batch with one sync of the disk under `sync_interval: always`. */
export const NATS_SERVER_VERSION_MIN = "2.15.0";

const INBOX_ROOT = "_FIRN";
const REQUEST_TIMEOUT_MS = 10_000;
const CONNECT_LIMIT_MS = 30_000;
const DIAL_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;
const PINGS_UNANSWERED_MAX = 2;
const HEARTBEAT_MS = 5_000;

export interface ConnectOptions {
  /** `nats://[user:password@]host:port`, several separated by commas; `tls://` for TLS. */
  url: string;
  /** Shown by the server's monitoring, and part of the subject of answers: the service's name. */
  name: string;
  /** How long to try to connect at first, in milliseconds; afterwards it reconnects for ever. */
  connectLimitMs?: number;
  /** How long an append or another request waits for its answer, in milliseconds. */
  requestTimeoutMs?: number;
  /** The longest wait between two tries to reconnect, in milliseconds. */
  reconnectDelayMaxMs?: number;
  /** How often the server shows a waiting reader that it is there, in milliseconds; three missed: read anew. */
  heartbeatMs?: number;
  /** Copies in a cluster of streams and buckets that are made; 1 by default. */
  replicas?: number;
  /** Ends the first attempts to connect. */
  signal?: AbortSignal;
}

/**
 * Connects to nats-server. Throws `unavailable` when none answers within the limit and `invalid` when the server is
 * older than 2.15.0 or has JetStream switched off.
 */
export async function connectStreams(options: ConnectOptions): Promise<StreamConnection> {
  const nc = await connectNats(options);
  try {
    return await NatsStreams.over(new NatsLink(nc, inboxPrefixOf(options)), {
      requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      heartbeatMs: options.heartbeatMs ?? HEARTBEAT_MS,
      replicas: options.replicas ?? 1,
    });
  } catch (error) {
    await nc.close();
    throw error;
  }
}

/** The connection itself, for what is no log: `unavailable` and `invalid` as above. */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const nc = await dial(options);
  try {
    assertServer(nc, options.url);
    return nc;
  } catch (error) {
    await nc.close();
    throw error;
  }
}

async function dial(options: ConnectOptions): Promise<NatsConnection> {
  const limitMs = options.connectLimitMs ?? CONNECT_LIMIT_MS;
  const deadline = performance.now() + limitMs;
  const settings = natsOptions(options);
  for (let attempt = 0; ; attempt++) {
    try {
      return await connectFramed(settings);
    } catch (cause) {
      if (performance.now() >= deadline || options.signal?.aborted) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        const message = `no nats-server at ${withoutSecrets(options.url)} (tried for ${limitMs} ms): ${reason}`;
        throw new StreamError("unavailable", message, {}, { cause });
      }
      await pause(backOffMs(attempt, { delayMinMs: 50, delayMaxMs: 1_000 }), options.signal);
    }
  }
}

function natsOptions(options: ConnectOptions): ConnectionOptions {
  const urls = options.url.split(",").map(parseServer);
  const { user, pass, tls } = urls[0]!;
  let attempt = 0;
  let lastDialMs = 0;
  const delayMaxMs = options.reconnectDelayMaxMs ?? 2_000;
  return {
    servers: urls.map(({ server }) => server),
    name: options.name,
    // Answers come to a place that only this service's user may listen to (deploy/nats/users.conf).
    inboxPrefix: inboxPrefixOf(options),
    reconnect: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
    timeout: DIAL_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: PINGS_UNANSWERED_MAX,
    reconnectDelayHandler: () => {
      const nowMs = performance.now();
      if (nowMs - lastDialMs > 4 * delayMaxMs) attempt = 0; // the last outage is over
      lastDialMs = nowMs;
      return backOffMs(attempt++, { delayMinMs: 25, delayMaxMs });
    },
    ...(user === "" ? {} : { user, pass }),
    ...(tls ? { tls: {} } : {}),
  };
}

/** Where answers come to. */
export const inboxPrefixOf = ({ name }: ConnectOptions): string => `${INBOX_ROOT}.${name}`;

function parseServer(text: string) {
  const withScheme = text.includes("://") ? text.trim() : `nats://${text.trim()}`;
  if (!URL.canParse(withScheme) || !/^(nats|tls):\/\//.test(withScheme)) {
    throw new StreamError("invalid", `not a NATS address: "${withoutSecrets(text)}" (like nats://127.0.0.1:4222)`);
  }
  const { hostname, port, username, password, protocol } = new URL(withScheme);
  return {
    server: `${hostname}:${port || "4222"}`,
    user: decodeURIComponent(username),
    pass: decodeURIComponent(password),
    tls: protocol === "tls:",
  };
}

function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^@/]*@/g, "//…@");
}

function assertServer(nc: NatsConnection, url: string): void {
  const version = nc.info?.version ?? "unknown";
  if (!isAtLeast(version, NATS_SERVER_VERSION_MIN)) {
    const message = `nats-server ${version} at ${withoutSecrets(url)} is too old: Firn needs ${NATS_SERVER_VERSION_MIN} or newer`;
    throw new StreamError("invalid", message, { version, versionMin: NATS_SERVER_VERSION_MIN });
  }
  if (nc.info?.jetstream !== true) {
    throw new StreamError("invalid", `nats-server at ${withoutSecrets(url)} runs without JetStream`, { version });
  }
}

/** Compares major, minor and patch; a pre-release counts as its release. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string) => /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [have, want] = [numbers(version), numbers(least)];
  if (!have || !want) return false;
  const at = want.findIndex((number, i) => number !== have[i]);
  return at === -1 || have[at]! > want[at]!;
}
