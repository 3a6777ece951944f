import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { KeyIndex, keyIndexVersion } from "./key-index.ts";
import type { BatchKeys } from "./resolve.ts";

const folders: string[] = [];
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "firn-index-"));
  folders.push(path);
  return path;
}
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** Records 0 … n-1, each of an identity of its own; the content is the largest 64-bit number less the record's. */
function keysOf(rows: number, partition: number): BatchKeys {
  return {
    rows,
    keyHigh: BigUint64Array.from({ length: rows }, (_, n) => BigInt((n * 2654435761) >>> 0) << 32n),
    keyLow: BigUint64Array.from({ length: rows }, (_, n) => BigInt(n)),
    content: BigUint64Array.from({ length: rows }, (_, n) => 2n ** 64n - 1n - BigInt(n)),
    tombstone: new Uint8Array(rows),
    partition: new Int32Array(rows).fill(partition),
  };
}

describe("KeyIndex", () => {
  it("keeps entries, partitions and the snapshot over a restart", async () => {
    const path = folder();
    const index = KeyIndex.open(path);
    const day = await index.partitionOrdinal("20045/heartRate");
    expect(await index.partitionOrdinal("20046/heartRate")).toBe(day + 1);
    const keys = keysOf(45_000, day);
    const all = Int32Array.from({ length: keys.rows }, (_, row) => row);
    await index.apply({ keys, rows: all, removes: () => false }, { tableUuid: "t", snapshotId: "17" });
    await index.apply({ keys, rows: Int32Array.of(3), removes: () => true }, { tableUuid: "t", snapshotId: "18" });
    await index.close();

    const again = KeyIndex.open(path);
    expect(again.state()).toEqual({ version: keyIndexVersion, tableUuid: "t", snapshotId: "18", whole: true });
    expect(again.size()).toBe(44_999);
    expect(again.lookUp(keys, 3)).toBeUndefined();
    expect(again.lookUp(keys, 44_999)).toEqual({ content: 2n ** 64n - 45_000n, partition: day });
    expect(again.partitionName(day)).toBe("20045/heartRate");
    expect(await again.partitionOrdinal("20045/heartRate")).toBe(day);
    await again.close();
  });

  it("is not whole while it is being rebuilt", async () => {
    const index = KeyIndex.open(folder());
    expect(index.state()).toBeUndefined();
    await index.clear("t");
    expect(index.state()?.whole).toBe(false);
    await index.close();
  });

  it("starts empty where the files are damaged", async () => {
    const path = folder();
    writeFileSync(join(path, "data.mdb"), "not a database".repeat(1000));
    const index = KeyIndex.open(path);
    expect(index.state()).toBeUndefined();
    await index.close();
  });
});
