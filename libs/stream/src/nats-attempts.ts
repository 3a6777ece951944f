import { Kvm, type KV } from "@nats-io/kv";
import type { JetStreamClient } from "@nats-io/jetstream";
import { refuseNewer } from "@firn/core";
import { checkedKey } from "./attempt-key.ts";
import type { AttemptStore } from "./connection.ts";
import { fromClient } from "./nats-errors.ts";
import type { NatsLink } from "./nats-link.ts";

/** Objects are kept with their version beside their fields, so that releases before it was written read them too. */
const VERSION = 1;

/** Attempts in a JetStream key-value bucket: one durable record per key. */
export async function openAttempts(
  link: NatsLink,
  js: JetStreamClient,
  bucket: string,
  replicas: number,
): Promise<AttemptStore> {
  const context = { bucket };
  const call = <T>(work: () => Promise<T>): Promise<T> =>
    link.guard(work).catch((error: unknown) => Promise.reject(fromClient(error, "unavailable", context)));
  const kv: KV = await call(() => new Kvm(js).create(bucket, { history: 1, replicas }));
  return {
    async get(key) {
      const entry = await call(() => kv.get(checkedKey(key)));
      return entry === null || entry.operation !== "PUT" ? undefined : withoutVersion(key, entry.json<unknown>());
    },
    async put(key, value) {
      await call(() => kv.put(checkedKey(key), JSON.stringify(isObject(value) ? { v: VERSION, ...value } : value)));
    },
    async delete(key) {
      await call(() => kv.purge(checkedKey(key)));
    },
  };
}

/** @throws NewerFormat */
function withoutVersion(key: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const { v, ...rest } = value;
  refuseNewer(`the value of ${key} in the lake's bucket`, v, VERSION);
  return rest;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
