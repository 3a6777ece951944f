import { afterEach, expect, test } from "vitest";
import { eventually } from "./contract/eventually.ts";
import type { MemberBoard, StreamConnection } from "./connection.ts";
import { MemoryLogs } from "./memory-logs.ts";
import { StreamError } from "./stream-error.ts";
import { UnitShare, type UnitWork } from "./unit-share.ts";

const units = ["health.0", "health.1", "health.2", "health.3"];
const leaseMs = 300;
const running: Process[] = [];

/** A process that shares the units: what it does, and how it ends. */
interface Process {
  readonly share: UnitShare;
  readonly does: Set<string>;
  /** Drains. */
  end(): Promise<void>;
  /** As SIGKILL or a long pause: from now on its notices reach nobody. */
  freeze(): void;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.end()));
});

async function start(
  connection: StreamConnection,
  member: string,
  work: UnitWork = (_, signal) => aborted(signal),
): Promise<Process & { readonly ended: Promise<void> }> {
  let frozen = false;
  const does = new Set<string>();
  const seen = withBoard(connection, () => frozen);
  const share = await UnitShare.open({ connection: seen, group: "validator", member, units, leaseMs });
  const ending = new AbortController();
  const ended = share.run(ending.signal, async (unit, signal) => {
    does.add(unit);
    try {
      await work(unit, signal);
    } finally {
      does.delete(unit);
    }
  });
  ended.catch(() => undefined);
  const process = {
    share,
    does,
    ended,
    end: () => (ending.abort(), ended.catch(() => undefined)),
    freeze: () => void (frozen = true),
  };
  running.push(process);
  return process;
}

function withBoard(connection: StreamConnection, isFrozen: () => boolean): StreamConnection {
  const guarded = <T>(work: () => Promise<T>): Promise<T> =>
    isFrozen() ? Promise.reject(new StreamError("unavailable", "frozen")) : work();
  return Object.create(connection, {
    members: {
      value: async (bucket: string): Promise<MemberBoard> => {
        const board = await connection.members(bucket);
        return {
          put: (group, member, value) => guarded(() => board.put(group, member, value)),
          read: (group) => guarded(() => board.read(group)),
        };
      },
    },
    subscribeHints: { value: connection.subscribeHints.bind(connection) },
    publishHint: { value: (subject: string, data: Uint8Array) => isFrozen() || connection.publishHint(subject, data) },
  }) as StreamConnection;
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
const sorted = (...processes: Process[]) => processes.flatMap(({ does }) => [...does]).sort();

test("one member does everything at once; a second one gets half of it", async () => {
  const logs = new MemoryLogs();
  const first = await start(logs, "a");
  await eventually(() => first.does.size === 4);
  const second = await start(logs, "b");
  await eventually(() => first.does.size === 2 && second.does.size === 2);
  expect(sorted(first, second)).toEqual(units);
  expect(first.share.members).toEqual(["a", "b"]);
});

test("a unit is begun by another only when it has ended", async () => {
  const logs = new MemoryLogs();
  let busy = 0;
  let busiest = 0;
  const slow: UnitWork = async (_, signal) => {
    busiest = Math.max(busiest, ++busy);
    await aborted(signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    busy--;
  };
  const first = await start(logs, "a", slow);
  await eventually(() => first.does.size === 4);
  const second = await start(logs, "b", slow);
  await eventually(() => first.does.size === 2 && second.does.size === 2);
  await first.end();
  await eventually(() => second.does.size === 4);
  expect(busiest).toBe(4);
});

test("whoever leaves hands over before its lease has ended", async () => {
  const logs = new MemoryLogs();
  const [first, second] = [await start(logs, "a"), await start(logs, "b")];
  await eventually(() => first.does.size === 2 && second.does.size === 2);
  const leftMs = performance.now();
  await first.end();
  await eventually(() => second.does.size === 4);
  expect(second.share.members).toEqual(["b"]);
  // Nothing here waits for a lease; the bound is wide for slow machines.
  expect(performance.now() - leftMs).toBeLessThan(10 * leaseMs);
});

test("the units of a member that falls silent move when its lease has ended, and it lets go of them itself", async () => {
  const logs = new MemoryLogs();
  const [first, second] = [await start(logs, "a"), await start(logs, "b")];
  await eventually(() => first.does.size === 2 && second.does.size === 2);
  first.freeze();
  await eventually(() => second.does.size === 4);
  await eventually(() => first.does.size === 0);
});

test("a member that comes back under its name takes its units at once, and the one before it stops", async () => {
  const logs = new MemoryLogs();
  const before = await start(logs, "a");
  await eventually(() => before.does.size === 4);
  const after = await start(logs, "a");
  await eventually(() => after.does.size === 4 && before.does.size === 0);
  expect(before.share.whyNotReady()).toMatch(/another process is member a/);
  expect(after.share.whyNotReady()).toBeUndefined();
  await after.end();
  await eventually(() => before.does.size === 4 && before.share.whyNotReady() === undefined);
});

test("alone, a member goes on while the broker is away", async () => {
  const logs = new MemoryLogs();
  const only = await start(logs, "a");
  await eventually(() => only.does.size === 4);
  let stopped = false;
  logs.setConnected(false);
  await new Promise((resolve) => setTimeout(resolve, 2 * leaseMs));
  stopped = only.does.size < 4;
  logs.setConnected(true);
  expect(stopped).toBe(false);
});

test("a unit that fails ends the share: the others end first, and the others' members take over", async () => {
  const logs = new MemoryLogs();
  const failing = await start(logs, "a", async (unit, signal) => {
    if (unit === "health.2") throw new Error("broken");
    await aborted(signal);
  });
  await expect(failing.ended).rejects.toThrow("broken");
  expect(failing.does.size).toBe(0);
  const other = await start(logs, "b");
  await eventually(() => other.does.size === 4);
});
