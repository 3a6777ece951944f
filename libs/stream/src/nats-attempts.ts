import { Kvm, type KV } from "@nats-io/kv";
import type { JetStreamClient } from "@nats-io/jetstream";
import { checkedKey } from "./attempt-key.ts";
import type { AttemptStore } from "./connection.ts";
import { fromClient } from "./nats-errors.ts";
import type { NatsLink } from "./nats-link.ts";

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
      return entry === null || entry.operation !== "PUT" ? undefined : entry.json<unknown>();
    },
    async put(key, value) {
      await call(() => kv.put(checkedKey(key), JSON.stringify(value)));
    },
    async delete(key) {
      await call(() => kv.purge(checkedKey(key)));
    },
  };
}
