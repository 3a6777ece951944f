import { streams } from "@firn/core";
import { connectStreams } from "@firn/stream";

import { check, Finding, gibibytes, type Check } from "./check.ts";
import { request } from "./probe-world.ts";

const VERSION_MIN = [2, 15, 0] as const;
const PAYLOAD_BYTES_MIN = 8 * 1024 ** 2;
const SPACE_BYTES_MIN = 1024 ** 3;
const STREAM_FULL_FROM = 0.9;
const CONNECT_LIMIT_MS = 3_000;

/** The parts of `/varz` and `/jsz` of a NATS server's monitoring page that are looked at. */
interface ServerPage {
  readonly version?: string;
  readonly max_payload?: number;
  readonly jetstream?: {
    readonly config?: { readonly sync_always?: boolean; readonly max_storage?: number };
    readonly stats?: { readonly storage?: number };
  };
}

interface StreamsPage {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamPage[] }[];
}

interface StreamPage {
  readonly name: string;
  readonly config?: { readonly storage?: string; readonly max_bytes?: number; readonly discard?: string };
  readonly state: { readonly bytes: number };
}

export interface NatsAddresses {
  readonly nats: string;
  /** The monitoring page: only it tells whether the server syncs. */
  readonly monitor: string | undefined;
}

export async function checkNats({ nats, monitor }: NatsAddresses): Promise<readonly Check[]> {
  const reach = check("nats", "Start the NATS server, or correct NATS_URL", async () => {
    const connection = await connectStreams({ url: nats, name: "firn-doctor", connectLimitMs: CONNECT_LIMIT_MS });
    await connection.close();
    return "connected, JetStream answers";
  });
  if (monitor === undefined) {
    const fix = "Give the server an http port and set FIRN_NATS_MONITOR_URL to it";
    const unseen = check("nats-sync", fix, () => {
      throw new Finding("version, sync and limits cannot be seen: the monitoring page of NATS is not known");
    });
    return Promise.all([reach, unseen]);
  }
  const page = fetchPage<ServerPage>(`${monitor}/varz`);
  const details = fetchPage<StreamsPage>(`${monitor}/jsz?streams=1&config=1`);
  // Each check awaits them by itself.
  for (const promise of [page, details]) promise.catch(() => undefined);
  return Promise.all([reach, ...serverChecks(page), checkStreams(details)]);
}

async function fetchPage<T>(url: string): Promise<T> {
  return (await (await request(url)).json()) as T;
}

function serverChecks(page: Promise<ServerPage>): readonly Promise<Check>[] {
  const minimum = VERSION_MIN.join(".");
  return [
    check("nats-version", `Run nats-server ${minimum} or newer`, async () => {
      const { version = "unknown" } = await page;
      if (!isAtLeast(version)) throw new Finding(`version ${version} is older than ${minimum}`);
      return `version ${version}`;
    }),
    check("nats-sync", "Set jetstream { sync_interval: always } and start the server again", async () => {
      const { jetstream } = await page;
      if (jetstream?.config === undefined) throw new Finding("JetStream is off", "Configure jetstream { store_dir }");
      if (jetstream.config.sync_always !== true) {
        throw new Finding("what is acknowledged may be lost with the power: writes are not synced");
      }
      return "every write is synced before it is acknowledged";
    }),
    check("nats-payload", "Set max_payload: 8MB", async () => {
      const { max_payload: bytes = 0 } = await page;
      if (bytes < PAYLOAD_BYTES_MIN) throw new Finding(`messages end at ${bytes} bytes`);
      return `messages up to ${bytes} bytes`;
    }),
    check("nats-space", "Raise jetstream { max_file }, or free disk of the server", async () => {
      const { jetstream } = await page;
      const left = (jetstream?.config?.max_storage ?? 0) - (jetstream?.stats?.storage ?? 0);
      const said = `${gibibytes(left)} left for streams`;
      if (left < SPACE_BYTES_MIN) throw new Finding(said);
      return said;
    }),
  ];
}

function isAtLeast(version: string): boolean {
  const parts = version.split(/[.-]/).map(Number);
  for (const [at, wanted] of VERSION_MIN.entries()) {
    const part = parts[at] ?? NaN;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

function checkStreams(details: Promise<StreamsPage>): Promise<Check> {
  const fix =
    "Raise the stream's limit (FIRN_INTAKE_BYTES of ingest for INTAKE), and see with firn status what does not go on";
  return check("nats-streams", fix, async () => {
    const found = (await details).account_details?.flatMap((account) => account.stream_detail ?? []) ?? [];
    const said = Object.values(streams).map((name) => {
      const stream = found.find((each) => each.name === name);
      if (stream === undefined) {
        throw new Finding(`the stream ${name} is not there`, "Start ingest and validator, which make it");
      }
      return explainStream(stream);
    });
    return said.join(", ");
  });
}

function explainStream({ name, config = {}, state }: StreamPage): string {
  const { discard = "old", max_bytes: limit = -1, storage = "file" } = config;
  if (storage !== "file") throw new Finding(`${name} lies in ${storage}`, "Make the stream again with file storage");
  if (limit < 0) return `${name} ${state.bytes} bytes`;
  const said = `${name} ${state.bytes} of ${limit} bytes`;
  if (discard !== "new") throw new Finding(`${said} forgets the oldest when it is full`, "Set its discard to new");
  if (state.bytes >= limit * STREAM_FULL_FROM) throw new Finding(said);
  return said;
}
