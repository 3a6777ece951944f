import { sqlBlob, sqlString } from "../kernel/sql-text.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import type { NameMapping } from "../metadata/name-mapping.ts";
import type { StructField } from "../metadata/schema.ts";
import { normaliseLocation } from "../store/location.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { DELETE_FILE_PATH_ID, DELETE_POS_ID } from "./delete-index.ts";
import { isDeletionVector, readDeletionVector } from "./deletion-vector.ts";
import type { EqualityDeletes } from "./equality-deletes.ts";
import { byFileSql, filesToRead, idName } from "./read-files.ts";
import type { ScanTask } from "./scan-plan.ts";

type Store = Pick<ObjectStore, "localPath">;

/** What stands behind `FROM … AS r`, and behind WHERE, so that deleted rows are left out, or only they are left. */
export interface DeletedRows {
  readonly joins: readonly string[];
  readonly conditions: readonly string[];
}

export function hasDeletes({ deletes, equalityDeletes = [] }: ScanTask): boolean {
  return deletes.length > 0 || equalityDeletes.length > 0;
}

/**
 * Joins of the relation `r` (columns `c<id>`, `file_index` into `tasks`, `file_row_number`) with the deletes of the
 * tasks. `live`: rows that none takes; `deleted`: rows that one takes now and none of those before.
 */
export async function deletedRows(
  tasks: readonly ScanTask[],
  store: Store,
  rows: "live" | "deleted",
): Promise<DeletedRows> {
  const gone = await deleteParts(tasks, "gone", deletesNow, store, rows === "deleted");
  if (rows === "live") return notDeleted(gone);
  const before = notDeleted(await deleteParts(tasks, "before", deletesBefore, store, false));
  const marks = [...gone.joined.map(({ alias }) => `${alias}.marks`), ...gone.vectors];
  return {
    joins: [
      ...gone.joined.map((part) => ` LEFT JOIN ${part.relation} AS ${part.alias} ON ${part.on}`),
      ...before.joins,
    ],
    conditions: [`(${marks.length === 0 ? "false" : marks.join(" OR ")})`, ...before.conditions],
  };
}

function notDeleted({ joined, vectors }: DeleteParts): DeletedRows {
  return {
    joins: joined.map((part) => ` ANTI JOIN ${part.relation} AS ${part.alias} ON ${part.on}`),
    conditions: vectors.map((isDeleted) => `NOT ${isDeleted}`),
  };
}

interface TaskDeletes {
  readonly positions: readonly LiveFile[];
  readonly equality: readonly EqualityDeletes[];
}

const deletesNow = (task: ScanTask): TaskDeletes => ({
  positions: task.deletes,
  equality: task.equalityDeletes ?? [],
});

const deletesBefore = (task: ScanTask): TaskDeletes => ({
  positions: task.deletesBefore ?? [],
  equality: task.equalityDeletesBefore ?? [],
});

interface DeleteParts {
  /** Relations of deleted rows, or keys; their column `marks` is true. */
  readonly joined: readonly { readonly relation: string; readonly alias: string; readonly on: string }[];
  /** Conditions that are true of a deleted row. */
  readonly vectors: readonly string[];
}

async function deleteParts(
  tasks: readonly ScanTask[],
  alias: string,
  deletesOf: (task: ScanTask) => TaskDeletes,
  store: Store,
  distinct: boolean,
): Promise<DeleteParts> {
  const deletes = tasks.map(deletesOf);
  const positions = new Set(deletes.flatMap(({ positions: files }) => files.filter((file) => !isDeletionVector(file))));
  const joined = positions.size === 0 ? [] : [await positionPart(tasks, [...positions], { alias, store, distinct })];
  for (const [n, equality] of groupsByColumns(deletes).entries()) {
    joined.push(await equalityPart(tasks, deletes, equality, `${alias}${n}`, store));
  }
  const vectors = await vectorConditions(tasks, deletes, store);
  return { joined, vectors };
}

async function positionPart(
  tasks: readonly ScanTask[],
  deletes: readonly LiveFile[],
  { alias, store, distinct }: { alias: string; store: Store; distinct: boolean },
): Promise<DeleteParts["joined"][number]> {
  const once = distinct ? "DISTINCT" : "";
  const columns: StructField[] = [
    { id: DELETE_FILE_PATH_ID, name: "file_path", required: true, type: "string" },
    { id: DELETE_POS_ID, name: "pos", required: true, type: "long" },
  ];
  const files = tasks.map((task, at) => `(${sqlString(normaliseLocation(task.file.filePath))}, ${at}::UBIGINT)`);
  const groups = await filesToRead(
    store,
    deletes.map((file) => ({ file, reading: POSITION_DELETES })),
    columns,
  );
  const path = idName(DELETE_FILE_PATH_ID);
  const selects = groups.map(
    ({ relation }) => `SELECT ${normalisedSql(path)} AS location, ${idName(DELETE_POS_ID)} AS pos FROM ${relation}`,
  );
  const relation = `(
    SELECT ${once} f.file_at, d.pos, true AS marks FROM (${selects.join(" UNION ALL ")}) AS d
    JOIN (VALUES ${files.join(", ")}) AS f(location, file_at) ON f.location = d.location)`;
  return { relation, alias, on: `${alias}.file_at = r.file_index AND ${alias}.pos = r.file_row_number` };
}

/** Some writers leave the reserved ids out: the names of the columns are reserved too. */
const POSITION_DELETES: { readonly names: NameMapping; readonly partitionValue: () => undefined } = {
  names: new Map([
    ["file_path", { fieldId: DELETE_FILE_PATH_ID, fields: new Map() }],
    ["pos", { fieldId: DELETE_POS_ID, fields: new Map() }],
  ]),
  partitionValue: () => undefined,
};

/** Groups that compare the same columns and are bound to partitions alike: they can be joined at once. */
function groupsByColumns(deletes: readonly TaskDeletes[]): EqualityDeletes[][] {
  const byColumns = new Map<string, Set<EqualityDeletes>>();
  for (const group of new Set(deletes.flatMap(({ equality }) => equality))) {
    const key = `${group.everywhere} ${group.columns.map((column) => column.id).join()}`;
    byColumns.set(key, (byColumns.get(key) ?? new Set()).add(group));
  }
  return [...byColumns.values()].map((groups) => [...groups]);
}

/**
 * Each key once with the highest sequence number that deletes it, so that the join costs what reading costs, however
 * often a key was deleted. A group of a partition has a number of its own; a row is compared with that of its file.
 */
async function equalityPart(
  tasks: readonly ScanTask[],
  deletes: readonly TaskDeletes[],
  groups: readonly EqualityDeletes[],
  alias: string,
  store: Store,
): Promise<DeleteParts["joined"][number]> {
  const scopes = new Map(groups.map((group, n) => [group, n]));
  const lowest = tasks.reduce((least, { file }) => Math.min(least, file.sequenceNumber), Infinity);
  const items = groups.flatMap((group) =>
    group.files
      .filter((file) => file.sequenceNumber > lowest && file.recordCount > 0)
      .map((file) => ({ file, reading: group.reading, scope: scopes.get(group)! })),
  );
  const { columns } = groups[0]!;
  const keys = columns.map((column) => idName(column.id));
  const selects = (await filesToRead(store, items, columns)).map(({ items: files, relation }) => {
    const scope = byFileSql(
      files.map((item) => item.scope),
      "INTEGER",
    );
    const sequence = byFileSql(
      files.map(({ file }) => file.sequenceNumber),
      "BIGINT",
    );
    return `SELECT ${keys.join(", ")}, ${scope} AS scope, ${sequence} AS sequence FROM ${relation}`;
  });
  const relation = `(SELECT ${keys.join(", ")}, scope, max(sequence) AS sequence, true AS marks
    FROM (${selects.join(" UNION ALL ")}) GROUP BY ALL)`;
  const own = deletes.map(({ equality }) => equality.map((group) => scopes.get(group)).find((n) => n !== undefined));
  const on = [
    ...keys.map((key) => `${alias}.${key} IS NOT DISTINCT FROM r.${key}`),
    `${alias}.scope = ${byFileSql(
      own.map((scope) => scope ?? -1),
      "INTEGER",
      "r.",
    )}`,
    `${alias}.sequence > ${byFileSql(
      tasks.map(({ file }) => file.sequenceNumber),
      "BIGINT",
      "r.",
    )}`,
  ];
  return { relation, alias, on: on.join(" AND ") };
}

/** One bit a row of each file that has a deletion vector. */
async function vectorConditions(
  tasks: readonly ScanTask[],
  deletes: readonly TaskDeletes[],
  store: Store,
): Promise<string[]> {
  const vectors = deletes.map(({ positions }) => positions.filter(isDeletionVector));
  if (vectors.every((files) => files.length === 0)) return [];
  const bits: string[] = [];
  for (const [at, task] of tasks.entries()) {
    let merged: Buffer | undefined;
    for (const file of vectors[at]!) {
      const { bits: found } = await readDeletionVector(store, file, task.file.recordCount);
      if (merged === undefined) merged = found;
      else for (let n = 0; n < found.length; n++) merged[n]! |= found[n]!;
    }
    bits.push(merged === undefined ? "NULL::BIT" : `${sqlBlob(merged)}::BIT`);
  }
  const own = `([${bits.join(", ")}])[(r.file_index + 1)::BIGINT]`;
  return [`(coalesce(get_bit(${own}, r.file_row_number::INTEGER), 0) = 1)`];
}

/** `normaliseLocation` in SQL. */
function normalisedSql(location: string): string {
  const path = `regexp_replace(regexp_replace(${location}, '^(file:)?/+(localhost/+)?', '/'), '/+', '/', 'g')`;
  return `CASE WHEN starts_with(${location}, 'file:///') AND NOT contains(substr(${location}, 9), '//') THEN ${location}
    WHEN ${location} LIKE 's3a://%' OR ${location} LIKE 's3n://%' THEN 's3' || substr(${location}, 4)
    WHEN ${location} LIKE 'file:%' OR ${location} LIKE '/%' THEN 'file://' || ${path}
    ELSE ${location} END`;
}
