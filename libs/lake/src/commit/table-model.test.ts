import fc from "fast-check";
import { expect, it } from "vitest";
import { commitChanges, dataFile, deleteFile, emptyTable, paths } from "../../test/table-fixture.ts";
import type { DataFile } from "../manifest/data-file.ts";
import { readManifestList } from "../manifest/manifest-io.ts";
import { currentSnapshot } from "../metadata/table-metadata.ts";
import { currentFiles } from "./current-files.ts";
import { lakeEnvironment, type LakeEnvironment } from "./environment.ts";
import { expireSnapshots } from "./expire.ts";
import type { SnapshotChange } from "./snapshot-change.ts";
import { snapshotDiff } from "./snapshot-diff.ts";
import type { Table } from "./table.ts";

/** One step: snapshots of one commit, each adding files to days and removing some of those that are there. */
interface Step {
  readonly snapshots: readonly {
    readonly days: readonly number[];
    readonly remove: readonly number[];
    readonly deletes: boolean;
  }[];
  /** Share of the retained snapshots, from the oldest, to look at for expiry afterwards. */
  readonly expire: readonly number[];
}

const snapshotArbitrary = fc.record({
  days: fc.array(fc.integer({ min: -2, max: 3 }), { maxLength: 4 }),
  remove: fc.array(fc.nat(30), { maxLength: 3 }),
  deletes: fc.boolean(),
});
const stepArbitrary: fc.Arbitrary<Step> = fc.record({
  snapshots: fc.array(snapshotArbitrary, { minLength: 1, maxLength: 3 }),
  expire: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.nat(20), { maxLength: 4 }) },
  ),
});

/** What the table should hold: live files by name, and those of every retained snapshot. */
interface Model {
  live: Map<string, DataFile>;
  history: Map<bigint, ReadonlyMap<string, DataFile>>;
  made: number;
}

const nameOf = (file: DataFile): string => paths([file])[0]!;

function planStep(step: Step, model: Model): { changes: SnapshotChange[]; states: Map<string, DataFile>[] } {
  const states: Map<string, DataFile>[] = [];
  const changes = step.snapshots.map(({ days, remove, deletes }): SnapshotChange => {
    const live = new Map(model.live);
    const names = [...live.keys()];
    const removed = new Set(names.length === 0 ? [] : remove.map((n) => names[n % names.length]!));
    const make = deletes ? deleteFile : dataFile;
    const added = days.map((day) => make(`f${model.made++}`, { day, type: day % 2 === 0 ? "even" : null }));
    const gone = [...removed].map((name) => live.get(name)!);
    for (const name of removed) live.delete(name);
    for (const file of added) live.set(nameOf(file), file);
    model.live = live;
    states.push(live);
    const appends = !deletes && gone.length === 0;
    return {
      operation: appends ? "append" : "overwrite",
      addedData: deletes ? [] : added,
      addedDeletes: deletes ? added : [],
      removedData: gone.filter((file) => file.content === 0),
      removedDeletes: gone.filter((file) => file.content !== 0),
    };
  });
  return { changes, states };
}

async function expectState(env: LakeEnvironment, table: Table, id: bigint, state: ReadonlyMap<string, DataFile>) {
  const { data, deletes } = await currentFiles(env, table, id);
  expect(paths([...data, ...deletes])).toEqual([...state.keys()].sort());
}

/** The store holds every file that a retained snapshot leads to, and nothing else. */
async function expectExactStore(env: LakeEnvironment, table: Table, model: Model): Promise<void> {
  const needed = new Set<string>();
  for (const snapshot of table.metadata.snapshots) {
    needed.add(snapshot["manifest-list"]!);
    for (const manifest of await readManifestList(env, snapshot["manifest-list"]!)) needed.add(manifest.manifestPath);
    for (const file of model.history.get(snapshot["snapshot-id"])!.values()) needed.add(file.filePath);
  }
  const found: string[] = [];
  for await (const object of env.store.list(env.store.root)) found.push(object.location);
  expect(found.sort()).toEqual([...needed].sort());
}

it("equals a plain model under any commits and expiries", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 1, maxLength: 30 }), async (steps) => {
      const { env, table: empty } = await emptyTable();
      const model: Model = { live: new Map(), history: new Map(), made: 0 };
      let table = empty;
      for (const step of steps) {
        const before = table.metadata["current-snapshot-id"];
        const stateBefore = before === undefined ? new Map<string, DataFile>() : model.history.get(before)!;
        const { changes, states } = planStep(step, model);
        for (const file of states.flatMap((state) => [...state.values()])) {
          if ((await env.store.stat(file.filePath)) === undefined)
            await env.store.put(file.filePath, new Uint8Array(1));
        }
        // A fresh environment each time: what is written must be enough, whatever the cache had.
        const cold = lakeEnvironment({ catalog: env.catalog, store: env.store });
        table = await commitChanges(cold, table, changes);
        const ids = table.metadata.snapshots.slice(-changes.length).map((snapshot) => snapshot["snapshot-id"]);
        ids.forEach((id, n) => model.history.set(id, states[n]!));

        await expectState(env, table, ids.at(-1)!, model.live);
        const diff = await snapshotDiff(cold, table, before, ids.at(-1)!);
        const came = [...model.live.keys()].filter((name) => !stateBefore.has(name)).sort();
        const went = [...stateBefore.keys()].filter((name) => !model.live.has(name)).sort();
        expect(paths([...diff!.addedData, ...diff!.addedDeletes])).toEqual(came);
        expect(paths([...diff!.removedData, ...diff!.removedDeletes])).toEqual(went);
        const records = [...model.live.values()].filter((file) => file.content === 0).length * 10;
        expect(currentSnapshot(table.metadata)?.summary?.["total-records"]).toBe(String(records));

        const old = table.metadata.snapshots.slice(0, -1).map((snapshot) => snapshot["snapshot-id"]);
        const expired = old.length === 0 ? [] : [...new Set(step.expire.map((n) => old[n % old.length]!))];
        if (expired.length === 0) continue;
        table = (await expireSnapshots(cold, table, expired)).table;
        expired.forEach((id) => model.history.delete(id));
        // Files that came and went within one commit were put by the test but are of an intermediate snapshot.
        for (const [id, state] of model.history) await expectState(cold, table, id, state);
        await expectExactStore(cold, table, model);
      }
    }),
    { numRuns: 25 },
  );
});
