import type { JetStreamClient, JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { StorageType } from "@nats-io/jetstream";
import { checkedKey } from "./attempt-key.ts";
import type { MemberBoard, MemberNotice } from "./connection.ts";
import { fromClient } from "./nats-errors.ts";
import type { NatsLink } from "./nats-link.ts";

/** Members that are gone for good are forgotten after this. */
const FORGOTTEN_AFTER_MS = 600_000;
const NO_MESSAGES = 404;

export interface MembersPlace {
  readonly link: NatsLink;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly bucket: string;
  readonly replicas: number;
}

/** Notices in a key-value bucket that lies in memory: they are put every second, and a sync of the disk is dear. */
export async function openMembers({ link, js, jsm, bucket, replicas }: MembersPlace): Promise<MemberBoard> {
  const call = <T>(work: () => Promise<T>): Promise<T> =>
    link.guard(work).catch((error: unknown) => Promise.reject(fromClient(error, "unavailable", { bucket })));
  const options = { history: 1, replicas, storage: StorageType.Memory, ttl: FORGOTTEN_AFTER_MS };
  const kv = await call(() => new Kvm(js).create(bucket, options));
  const stream = `KV_${bucket}`;
  return {
    async put(group, member, value) {
      await call(() => kv.put(checkedKey(`${group}.${member}`), JSON.stringify(value)));
    },
    async read(group) {
      const prefix = `$KV.${bucket}.${checkedKey(group)}.`;
      const stored = await call(() => readAll(jsm, stream, `${prefix}>`));
      return stored.map((message): MemberNotice => {
        const member = message.subject.slice(prefix.length);
        return { member, value: message.json(), timestampMs: message.time.getTime() };
      });
    },
  };
}

async function readAll(jsm: JetStreamManager, stream: string, subject: string): Promise<StoredMsg[]> {
  const messages: StoredMsg[] = [];
  try {
    for await (const message of await jsm.direct.getLastMessagesFor(stream, { multi_last: [subject] }))
      messages.push(message);
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_MESSAGES) return [];
    throw error;
  }
  return messages;
}
