import { decodeIntakeFrame } from "@firn/core";
import { StreamError, type AppendRecord } from "@firn/stream";
import { expect, test } from "vitest";
import type { ShardedPayload } from "./accepted-payloads.ts";
import { GroupCommit } from "./group-commit.ts";

/** A log that stores when told to. */
function heldLog() {
  const appends: { records: readonly AppendRecord[]; store(): void; fail(error: Error): void }[] = [];
  let sequence = 0;
  const append = (records: readonly AppendRecord[]) =>
    new Promise<{ lastSequence: number }>((resolve, reject) => {
      const store = () => resolve({ lastSequence: (sequence += records.length) });
      appends.push({ records, store, fail: reject });
    });
  return { appends, append };
}

function payload(text: string, shard = 0): ShardedPayload {
  return { bytes: Buffer.from(text), shard };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a request alone is appended at once; those that come meanwhile share the next append", async () => {
  const { appends, append } = heldLog();
  const commit = new GroupCommit(append);
  const first = commit.submit("health", [payload("a")], 1);
  const others = ["b", "c", "d"].map((text) => commit.submit("health", [payload(text)], 2));
  await settle();
  expect(appends).toHaveLength(1);
  appends[0]?.store();
  await first;
  await settle();
  expect(appends).toHaveLength(2);
  appends[1]?.store();
  expect(await Promise.all([first, ...others])).toEqual([
    "health-1-1-0",
    "health-2-1-0",
    "health-2-1-1",
    "health-2-1-2",
  ]);
  const [frame] = appends[1]?.records ?? [];
  expect(decodeIntakeFrame(frame!.data).map(({ bytes, receipt }) => [Buffer.from(bytes).toString(), receipt])).toEqual([
    ["b", "0"],
    ["c", "1"],
    ["d", "2"],
  ]);
});

test("payloads go to their shard's subject in order of arrival", async () => {
  const { appends, append } = heldLog();
  const commit = new GroupCommit(append);
  const receipt = commit.submit("health", [payload("a", 2), payload("b", 0), payload("c", 2)], 7);
  appends[0]?.store();
  expect(await receipt).toBe("health-1-2-0");
  const frames = appends[0]!.records.map(({ subject, data }) => ({
    subject,
    payloads: decodeIntakeFrame(data).map(({ bytes }) => Buffer.from(bytes).toString()),
  }));
  expect(frames).toEqual([
    { subject: "intake.health.2", payloads: ["a", "c"] },
    { subject: "intake.health.0", payloads: ["b"] },
  ]);
});

test("the outcome of an append is the outcome of all its requests, and only theirs", async () => {
  const { appends, append } = heldLog();
  const commit = new GroupCommit(append);
  const first = commit.submit("health", [payload("a")], 1);
  const others = [commit.submit("health", [payload("b")], 1), commit.submit("health", [payload("c")], 1)];
  const outcomes = Promise.allSettled(others);
  appends[0]?.store();
  await first;
  await settle();
  const later = commit.submit("health", [payload("d")], 1);
  appends[1]?.fail(new StreamError("unknown_outcome", "no answer"));
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await settle();
  appends[2]?.store();
  expect(await later).toBe("health-2-1-0");
});

test("a full append does not wait for the one on its way, but no more than three are", async () => {
  const { appends, append } = heldLog();
  const commit = new GroupCommit(append);
  const big = "x".repeat(3 * 1024 * 1024);
  const all = Array.from({ length: 6 }, () => commit.submit("health", [payload(big)], 1));
  await settle();
  expect(appends).toHaveLength(3);
  for (let i = 0; i < 6; i++) {
    appends[i]?.store();
    await settle();
  }
  expect(await Promise.all(all)).toHaveLength(6);
});

test("frames stay near a mebibyte, and 100,000 small payloads of one request are one append", async () => {
  const { appends, append } = heldLog();
  const commit = new GroupCommit(append);
  const receipt = commit.submit("health", Array<ShardedPayload>(100_000).fill(payload("x".repeat(40))), 1);
  appends[0]?.store();
  await receipt;
  const sizes = appends[0]!.records.map(({ data }) => data.byteLength);
  expect(sizes.length).toBeLessThanOrEqual(100);
  expect(Math.max(...sizes)).toBeLessThan(1.1 * 1024 * 1024);
});
