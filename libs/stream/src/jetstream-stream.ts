import { JetStreamApiError, type JetStreamManager, type StreamConfig, type StreamInfo } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import type { LogSpec } from "./connection.ts";
import { JETSTREAM } from "./nats-errors.ts";
import { planStream, type StreamShape } from "./stream-plan.ts";
import { StreamError } from "./stream-error.ts";

/** The least that the server takes; nothing here rests on its duplicate detection. */
const DUPLICATE_WINDOW_MS = 100;
const OPEN_TRIES_MAX = 5;

/** How every stream of Firn is kept, whatever its subjects: limits retention, refuses when full, forgets nothing. */
function keeping() {
  return {
    discard: "new",
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    allow_atomic: true,
    allow_direct: true,
    duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  } as const;
}

/** Makes the stream when it is missing, else brings it to what the spec says. Several may do this at once. */
export async function openStream(jsm: JetStreamManager, spec: LogSpec): Promise<StreamInfo> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await findStream(jsm, spec.stream);
      return found === undefined ? await makeStream(jsm, spec) : await adjustStream(jsm, spec, found);
    } catch (error) {
      const raced = error instanceof JetStreamApiError && error.code === JETSTREAM.streamNameInUse;
      if (!raced || attempt >= OPEN_TRIES_MAX) throw error;
    }
  }
}

export async function findStream(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JETSTREAM.streamNotFound) return undefined;
    throw error;
  }
}

/** In the metadata of a stream that was made again from a copy: what it was before (stream-archive.ts). */
export const IDENTITY_KEY = "firn.identity";

/** Names this very stream: when it was made, or when the one was made whose copy it is. */
export function identityOf({ config, created }: Pick<StreamInfo, "config" | "created">): string {
  return config.metadata?.[IDENTITY_KEY] ?? String(created);
}

export function shapeOf({ config }: StreamInfo): StreamShape {
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(config.metadata ?? {})) {
    if (!key.startsWith("_nats.")) metadata[key] = value;
  }
  return { subjects: config.subjects ?? [], bytesMax: config.max_bytes, metadata };
}

function makeStream(jsm: JetStreamManager, spec: LogSpec): Promise<StreamInfo> {
  const planned = planStream(spec, undefined);
  return jsm.streams.add({
    name: spec.stream,
    subjects: [...planned.subjects],
    storage: "file",
    retention: "limits",
    num_replicas: spec.replicas ?? 1,
    max_bytes: planned.bytesMax,
    metadata: { ...planned.metadata },
    ...keeping(),
  });
}

async function adjustStream(jsm: JetStreamManager, spec: LogSpec, found: StreamInfo): Promise<StreamInfo> {
  const { config } = found;
  if (config.storage !== "file" || config.retention !== "limits" || config.mirror || config.sources?.length) {
    const { storage, retention } = config;
    const message = `stream ${spec.stream} exists and does not fit: it needs file storage, limits retention and no source`;
    throw new StreamError("invalid", message, { stream: spec.stream, storage, retention });
  }
  const planned = planStream(spec, shapeOf(found));
  const wanted: Partial<StreamConfig> = {
    ...keeping(),
    subjects: [...planned.subjects],
    max_bytes: planned.bytesMax,
    metadata: { ...config.metadata, ...planned.metadata },
  };
  const differs = Object.entries(wanted).some(([key, value]) => !sameJson(config[key as keyof StreamConfig], value));
  return differs ? jsm.streams.update(spec.stream, wanted) : found;
}

function sameJson(left: unknown, right: unknown): boolean {
  const sorted = (value: unknown) =>
    JSON.stringify(value, (_key, inner: unknown) =>
      inner !== null && typeof inner === "object" && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    );
  return sorted(left) === sorted(right);
}
