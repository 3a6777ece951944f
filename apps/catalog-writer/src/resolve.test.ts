import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOrder } from "./key-index/identity-keys.ts";
import { type BatchKeys, RowAction, resolveBatch } from "./resolve.ts";

interface Arrival {
  readonly id: number;
  readonly content: number;
  readonly tombstone: boolean;
}

function keysOf(arrivals: readonly Arrival[]): BatchKeys {
  return {
    rows: arrivals.length,
    keyHigh: BigUint64Array.from(arrivals, () => 7n),
    keyLow: BigUint64Array.from(arrivals, (arrival) => BigInt(arrival.id)),
    content: BigUint64Array.from(arrivals, (arrival) => BigInt(arrival.content)),
    tombstone: Uint8Array.from(arrivals, (arrival) => (arrival.tombstone ? 1 : 0)),
    partition: Int32Array.from(arrivals, (arrival) => arrival.content % 3),
  };
}

const arrivalArbitrary = fc.record({
  id: fc.integer({ min: 1, max: 6 }),
  content: fc.integer({ min: 1, max: 3 }),
  tombstone: fc.boolean(),
});

describe("resolveBatch", () => {
  it("gives the same table, index and counts as judging the records one by one, however they are cut into batches", () => {
    fc.assert(
      fc.property(fc.array(fc.array(arrivalArbitrary, { maxLength: 12 }), { maxLength: 6 }), (batches) => {
        const index = new Map<number, { content: bigint; partition: number }>();
        const table = new Map<number, number>();
        const model = new Map<number, number>();
        const counts = { stored: 0, corrected: 0, duplicates: 0, deleted: 0 };
        const expected = { stored: 0, corrected: 0, duplicates: 0, deleted: 0 };
        for (const batch of batches) {
          for (const { id, content, tombstone } of batch) {
            if (tombstone) {
              expected.deleted++;
              model.delete(id);
            } else if (!model.has(id)) {
              expected.stored++;
              model.set(id, content);
            } else if (model.get(id) === content) expected.duplicates++;
            else {
              expected.corrected++;
              model.set(id, content);
            }
          }
          const keys = keysOf(batch);
          const resolution = resolveBatch(keys, (rows) => {
            const found = new Uint8Array(keys.rows);
            const content = new BigUint64Array(keys.rows);
            const partition = new Int32Array(keys.rows);
            for (const row of rows) {
              const entry = index.get(batch[row]?.id ?? 0);
              if (entry === undefined) continue;
              found[row] = 1;
              content[row] = entry.content;
              partition[row] = entry.partition;
            }
            return { found, content, partition };
          });
          for (const name of ["stored", "corrected", "duplicates", "deleted"] as const)
            counts[name] += resolution.outcomes[name];
          batch.forEach(({ id, content }, row) => {
            const action = resolution.actions[row];
            if (action === RowAction.append) {
              expect(table.has(id)).toBe(false);
              table.set(id, content);
            } else if (action === RowAction.replace) {
              expect(table.has(id)).toBe(true);
              expect(resolution.touchedPartitions.has((table.get(id) ?? 0) % 3)).toBe(true);
              table.set(id, content);
            } else if (action === RowAction.remove) {
              expect(table.delete(id)).toBe(true);
            }
          });
          expect(resolution.changed).toEqual(keyOrder(keys, resolution.changed));
          for (const row of resolution.changed) {
            const id = batch[row]?.id ?? 0;
            if (resolution.actions[row] === RowAction.remove) index.delete(id);
            else index.set(id, { content: keys.content[row] ?? 0n, partition: keys.partition[row] ?? -1 });
          }
        }
        expect(counts).toEqual(expected);
        expect([...table].sort()).toEqual([...model].sort());
        expect(index.size).toBe(model.size);
      }),
    );
  });
});
