import { expect, test } from "vitest";
import { FileContent, type LiveFile } from "../manifest/data-file.ts";
import { createTableRequest } from "../metadata/table-definition.ts";
import { newTableMetadata } from "../metadata/new-table.ts";
import { MERGE_POLICY, planMerge } from "./plan-merge.ts";

const { schema, partitionSpec, sortOrder } = createTableRequest({
  columns: [{ name: "k", type: "string", required: true }],
  identity: [],
  partition: [{ source: "k", transform: "identity", name: "k" }],
  sort: [],
  properties: {},
});
const metadata = newTableMetadata({
  uuid: "00000000-0000-4000-8000-000000000000",
  location: "file:///w/t",
  nowMs: 0,
  schema,
  ...(partitionSpec === undefined ? {} : { partitionSpec }),
  ...(sortOrder === undefined ? {} : { sortOrder }),
  properties: {},
});

const KB = 1024;
let made = 0;
function file(k: string, kilobytes: number, more: Partial<LiveFile> = {}): LiveFile {
  return {
    content: FileContent.data,
    filePath: `file:///w/t/${made++}.parquet`,
    fileFormat: "PARQUET",
    specId: 0,
    partition: { k },
    recordCount: kilobytes * 10,
    fileSizeBytes: kilobytes * KB,
    sequenceNumber: 1,
    fileSequenceNumber: 1,
    snapshotId: 1n,
    ...more,
  };
}
const files = (count: number, k: string, kilobytes: number) => Array.from({ length: count }, () => file(k, kilobytes));
const groupsOf = (data: LiveFile[], deletes: LiveFile[] = [], policy = MERGE_POLICY) =>
  planMerge(metadata, { data, deletes }, policy).groups.map((group) => group.tasks.map((task) => task.file));

test("files of one partition merge once a level is full, and not before", () => {
  expect(groupsOf([...files(5, "a", 10), ...files(5, "b", 10)])).toEqual([]);
  const full = files(6, "a", 10);
  expect(groupsOf([...full, ...files(5, "b", 10)]).map((group) => new Set(group))).toEqual([new Set(full)]);
});

test("a merged file is not read again until its own level is full", () => {
  const grown = files(5, "a", 1024);
  expect(groupsOf([...grown, ...files(6, "a", 10)])[0]).toHaveLength(6);
  expect(groupsOf([...grown, ...files(1, "a", 1024), ...files(3, "a", 10)])[0]).toHaveLength(9);
});

test("full-grown files stay, and no group grows far beyond the target", () => {
  expect(groupsOf(files(10, "a", 128 * KB))).toEqual([]);
  const groups = groupsOf(files(40, "a", 10 * KB));
  expect(Math.max(...groups.map((group) => group.length))).toBe(12);
});

test("a file with many deleted rows is written anew, its delete file goes when nothing else needs it", () => {
  const worn = file("a", 1000);
  const fresh = file("a", 1000, { sequenceNumber: 3 });
  const one = file("a", 1, {
    content: FileContent.positionDeletes,
    referencedDataFile: worn.filePath,
    recordCount: 2000,
    sequenceNumber: 2,
  });
  const plan = planMerge(metadata, { data: [worn, fresh], deletes: [one] });
  expect(plan.groups.map((group) => group.tasks.map((task) => task.file))).toEqual([[worn]]);
  expect(plan.removedDeletes).toEqual([one]);
  expect(groupsOf([worn, fresh], [{ ...one, recordCount: 10 }])).toEqual([]);
});

test("the groups that shed the most files for the fewest rows come first, up to the limit of rows", () => {
  const cheap = files(6, "a", 10);
  const plan = planMerge(
    metadata,
    { data: [...files(6, "b", 200), ...cheap], deletes: [] },
    { ...MERGE_POLICY, rowsMax: 5_000 },
  );
  expect(plan.groups.map((group) => group.rows)).toEqual([600]);
  expect(plan.more).toBe(true);
});

test("a file that only equality deletes apply to is written anew; they go when no older file is left", () => {
  const worn = file("a", 1000);
  const spared = file("a", 1000, { recordCount: 1_000_000 });
  const fresh = file("a", 1000, { sequenceNumber: 3 });
  const one = file("a", 1, {
    content: FileContent.equalityDeletes,
    equalityIds: [1],
    recordCount: 2000,
    sequenceNumber: 2,
  });
  const plan = planMerge(metadata, { data: [worn, spared, fresh], deletes: [one] });
  expect(plan.groups.map((group) => group.tasks.map((task) => task.file))).toEqual([[worn]]);
  expect(plan.removedDeletes).toEqual([]);
  expect(planMerge(metadata, { data: [worn, fresh], deletes: [one] }).removedDeletes).toEqual([one]);
  expect(groupsOf([worn, fresh], [{ ...one, recordCount: 10 }])).toEqual([]);
});
