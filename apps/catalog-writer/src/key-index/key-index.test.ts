import fc from "fast-check";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { BatchKeys } from "../resolve.ts";
import { keyOrder } from "./identity-keys.ts";
import { KeyIndex, keyIndexVersion } from "./key-index.ts";

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "firn-index-"));
  folders.push(path);
  return path;
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** Records of the identities `ids`; the content is the largest 64-bit number less the identity less `version`. */
function keysOf(ids: readonly number[], partition: number, version = 0): BatchKeys {
  return {
    rows: ids.length,
    keyHigh: BigUint64Array.from(ids, (id) => BigInt((id * 2654435761) >>> 0) << 32n),
    keyLow: BigUint64Array.from(ids, (id) => BigInt(id)),
    content: BigUint64Array.from(ids, (id) => 2n ** 64n - 1n - BigInt(id) - BigInt(version)),
    tombstone: new Uint8Array(ids.length),
    partition: new Int32Array(ids.length).fill(partition),
  };
}

const runsIn = (path: string) => readdirSync(path).filter((name) => name.startsWith("run-"));
const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n);
const allRows = (keys: BatchKeys) => Int32Array.from({ length: keys.rows }, (_, row) => row);
const after = (snapshotId: string) => ({ tableUuid: "t", snapshotId });

async function put(index: KeyIndex, ids: readonly number[], snapshot: string, partition = 0, version = 0) {
  const keys = keysOf(ids, partition, version);
  await index.apply(index.prepare({ keys, rows: allRows(keys), removes: () => false }), after(snapshot));
}

async function remove(index: KeyIndex, ids: readonly number[], snapshot: string) {
  const keys = keysOf(ids, 0);
  await index.apply(index.prepare({ keys, rows: allRows(keys), removes: () => true }), after(snapshot));
}

/** What the index says of some identities: undefined or [content, partition]. */
function ask(index: KeyIndex, ids: readonly number[]) {
  const keys = keysOf(ids, 0);
  const { found, content, partition } = index.lookUp(keys, keyOrder(keys));
  return ids.map((_, row) => (found[row] === 1 ? ([content[row], partition[row]] as const) : undefined));
}

describe("KeyIndex", () => {
  it("knows nothing of what is prepared until it is applied, and keeps no file of what is discarded or forgotten", async () => {
    const path = folder();
    const index = KeyIndex.open(path, { recentMax: 10 });
    await put(index, [1], "1");
    const files = () => readdirSync(path).toSorted();
    const before = files();
    const keys = keysOf(upTo(100, 2), 0);
    const prepare = () => index.prepare({ keys, rows: keyOrder(keys), inKeyOrder: true, removes: () => false });
    const discarded = prepare();
    expect(files()).not.toEqual(before);
    expect(ask(index, [1, 2]).map((entry) => entry !== undefined)).toEqual([true, false]);
    index.discard(discarded);
    expect(files()).toEqual(before);
    await index.apply(prepare(), after("2"));
    const applied = files();
    expect(ask(index, [1, 2, 101, 102]).map((entry) => entry !== undefined)).toEqual([true, true, true, false]);
    prepare();
    await index.close();
    const reopened = KeyIndex.open(path, { recentMax: 10 });
    expect(files()).toEqual(applied);
    expect(reopened.state()?.snapshotId).toBe("2");
    expect(ask(reopened, [1, 2, 101, 102]).map((entry) => entry !== undefined)).toEqual([true, true, true, false]);
    await reopened.close();
  });

  it("keeps small and large changes, partitions and the snapshot over a restart", async () => {
    const path = folder();
    const index = KeyIndex.open(path);
    const day = index.partitionOrdinal("20045/heartRate");
    expect(index.partitionOrdinal("20046/heartRate")).toBe(day + 1);
    await put(index, upTo(100_000), "17", day);
    await put(index, upTo(50, 100_000), "18", day + 1);
    await remove(index, [3, 100_003], "19");
    await index.close();

    const again = KeyIndex.open(path);
    expect(again.state()).toEqual({ version: keyIndexVersion, tableUuid: "t", snapshotId: "19", whole: true });
    expect(ask(again, [3, 99_999, 100_003, 100_004, 200_000])).toEqual([
      undefined,
      [2n ** 64n - 100_000n, day],
      undefined,
      [2n ** 64n - 100_005n, day + 1],
      undefined,
    ]);
    expect(again.partitionName(day + 1)).toBe("20046/heartRate");
    expect(again.partitionOrdinal("20045/heartRate")).toBe(day);
    await again.close();
  });

  it("says what a map says, whatever is put, removed, merged and opened again", async () => {
    const change = fc.record({
      kind: fc.constantFrom("put", "remove", "open"),
      from: fc.nat(1_500),
      count: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 70, max: 900 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 4, maxLength: 20 }), async (changes) => {
        const path = folder();
        let index = KeyIndex.open(path, { recentMax: 64 });
        const model = new Map<number, number>();
        for (const [version, { kind, from, count }] of changes.entries()) {
          const ids = upTo(count, from);
          if (kind === "open") {
            await index.close();
            index = KeyIndex.open(path, { recentMax: 64 });
          } else if (kind === "put") {
            await put(index, ids, String(version), version, version);
            for (const id of ids) model.set(id, version);
          } else {
            await remove(index, ids, String(version));
            for (const id of ids) model.delete(id);
          }
        }
        const asked = upTo(2_600);
        const wanted = asked.map((id) => {
          const version = model.get(id);
          return version === undefined
            ? undefined
            : ([2n ** 64n - 1n - BigInt(id) - BigInt(version), version] as const);
        });
        expect(ask(index, asked)).toEqual(wanted);
        await index.close();
        rmSync(path, { recursive: true, force: true });
      }),
      { numRuns: 60, endOnFailure: true },
    );
  }, 60_000);

  it("merges runs, so that their number grows with the logarithm of the entries", async () => {
    const path = folder();
    const index = KeyIndex.open(path, { recentMax: 64 });
    for (let run = 0; run < 40; run++) {
      await put(index, upTo(100, run * 100), String(run));
      await index.settled();
    }
    await index.close();
    expect(runsIn(path).length).toBeLessThanOrEqual(9);
    const again = KeyIndex.open(path);
    expect(ask(again, upTo(4_000)).every((entry) => entry !== undefined)).toBe(true);
    await again.close();
  });

  it("leaves a large run alone while smaller ones come", async () => {
    const path = folder();
    const index = KeyIndex.open(path, { recentMax: 64 });
    await put(index, upTo(6_000), "large");
    for (let run = 0; run < 12; run++) {
      await put(index, upTo(100, 6_000 + run * 100), String(run));
      await index.settled();
    }
    await index.close();
    expect(runsIn(path)).toContain("run-0");
  });

  it("merges what came since a merge began beside it, and stops both when it is closed", async () => {
    const path = folder();
    const index = KeyIndex.open(path, { recentMax: 64 });
    // Long enough that it does not end before the small runs are there.
    for (let run = 0; run < 4; run++) await put(index, upTo(60_000, run * 60_000), `large ${run}`);
    for (let run = 0; run < 4; run++) await put(index, upTo(100, 240_000 + run * 100), `small ${run}`);
    await index.close();
    // Runs 0 to 3 are large and 4 is what they become; the file of a merge that was stopped is gone.
    expect(runsIn(path).filter((name) => ["run-0", "run-1", "run-2", "run-3"].includes(name))).toHaveLength(4);
    expect(runsIn(path)).not.toContain("run-4");
    const again = KeyIndex.open(path, { recentMax: 64 });
    await again.settled();
    expect(ask(again, upTo(240_400)).every((entry) => entry !== undefined)).toBe(true);
    await again.close();
  });

  it("is not whole while it is being rebuilt, also after a restart", async () => {
    const path = folder();
    const index = KeyIndex.open(path);
    expect(index.state()).toBeUndefined();
    await put(index, [1, 2], "5");
    await index.clear("t");
    expect(index.state()?.whole).toBe(false);
    expect(ask(index, [1])).toEqual([undefined]);
    const keys = keysOf(upTo(10), 0);
    await index.applyPart({ keys, rows: allRows(keys), removes: () => false });
    await index.close();
    const again = KeyIndex.open(path);
    expect(again.state()?.whole).toBe(false);
    await again.close();
  });

  it("goes back to an older snapshot where the log was cut", async () => {
    const path = folder();
    const index = KeyIndex.open(path);
    await put(index, [1], "5");
    await put(index, [2], "6");
    await index.close();
    const log = join(path, "recent.log");
    truncateSync(log, readFileSync(log).length - 3);
    const again = KeyIndex.open(path);
    expect(again.state()?.snapshotId).toBe("5");
    expect(ask(again, [1, 2]).map((entry) => entry !== undefined)).toEqual([true, false]);
    await again.close();
  });

  it.each([
    ["a changed byte in a run", (path: string) => flipByte(join(path, "run-0"), 5_000)],
    ["a run that was cut", (path: string) => truncateSync(join(path, "run-0"), 4_000)],
    ["a run that is gone", (path: string) => rmSync(join(path, "run-0"))],
    ["a manifest that is no JSON", (path: string) => writeFileSync(join(path, "index.json"), "{")],
    [
      "a manifest that names another file",
      (path: string) => writeFileSync(join(path, "index.json"), '{"runs":["../x"]}'),
    ],
  ])("starts empty after %s", async (_, damage) => {
    const path = folder();
    const index = KeyIndex.open(path);
    await put(index, upTo(70_000), "5");
    await index.close();
    damage(path);
    const again = KeyIndex.open(path);
    expect(again.state()).toBeUndefined();
    expect(ask(again, [1])).toEqual([undefined]);
    await put(again, [1], "6");
    await again.close();
  });

  it("takes an index whose digests are of other columns for none", async () => {
    const path = folder();
    const index = KeyIndex.open(path, { content: ["value"] });
    await put(index, [1], "5");
    await index.close();
    const grown = KeyIndex.open(path, { content: ["value", "note"] });
    expect(grown.state()).toBeUndefined();
    await grown.close();
  });

  it("takes an index of another version for none, and removes its files", async () => {
    const path = folder();
    writeFileSync(join(path, "data.mdb"), "an older layout");
    const index = KeyIndex.open(path);
    expect(index.state()).toBeUndefined();
    expect(readdirSync(path)).not.toContain("data.mdb");
    await index.close();
  });
});

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}
