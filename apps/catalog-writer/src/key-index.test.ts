import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
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

function key(n: number): Buffer {
  const buffer = Buffer.alloc(16);
  buffer.writeUInt32BE((n * 2654435761) >>> 0, 0);
  buffer.writeUInt32BE(n, 12);
  return buffer;
}

describe("KeyIndex", () => {
  it("keeps entries, partitions and the snapshot over a restart", async () => {
    const path = folder();
    const index = KeyIndex.open(path);
    const day = await index.partitionOrdinal("20045/heartRate");
    expect(await index.partitionOrdinal("20046/heartRate")).toBe(day + 1);
    const changes = Array.from({ length: 45_000 }, (_, n) => ({
      key: key(n),
      entry: { content: 2n ** 64n - 1n - BigInt(n), partition: day },
    }));
    await index.apply(changes, { tableUuid: "t", snapshotId: "17" });
    await index.apply([{ key: key(3), entry: undefined }], { tableUuid: "t", snapshotId: "18" });
    await index.close();

    const again = KeyIndex.open(path);
    expect(again.state()).toEqual({ version: keyIndexVersion, tableUuid: "t", snapshotId: "18", whole: true });
    expect(again.size()).toBe(44_999);
    expect(again.lookUp(key(3))).toBeUndefined();
    expect(again.lookUp(key(44_999))).toEqual({ content: 2n ** 64n - 45_000n, partition: day });
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
