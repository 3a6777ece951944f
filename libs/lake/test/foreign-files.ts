import { stat } from "node:fs/promises";
import { join } from "node:path";
import { sqlName, sqlString } from "../src/kernel/sql-text.ts";
import { FileContent, type DataFile, type Partition } from "../src/manifest/data-file.ts";
import { columnByName } from "../src/metadata/schema.ts";
import { currentSchema } from "../src/metadata/table-metadata.ts";
import type { Table } from "../src/commit/table.ts";
import type { LakeFixture } from "./kernel-fixture.ts";

/** Files as other engines write them, which the product itself does not: equality deletes, files without field ids. */

let written = 0;

export interface ForeignFile {
  readonly table: Table;
  /** A SELECT of the file's rows. */
  readonly sql: string;
  /** The FIELD_IDS option of COPY; undefined: no ids are written. */
  readonly fieldIds?: string | undefined;
  readonly partition?: Partition;
  readonly specId?: number;
}

/** A Parquet file in the table's data folder, and what a manifest says of it. */
export async function foreignFile(lake: LakeFixture, file: ForeignFile): Promise<DataFile> {
  const { table, sql, fieldIds, partition = {}, specId = table.metadata["default-spec-id"] } = file;
  const name = `foreign-${written++}.parquet`;
  const localPath = join(lake.folder, name);
  const ids = fieldIds === undefined ? "" : `, FIELD_IDS ${fieldIds}`;
  await lake.connection.run(`COPY (${sql}) TO ${sqlString(localPath)} (FORMAT parquet${ids})`);
  const recordCount = Number(await lake.connection.value(`SELECT count(*) FROM (${sql})`));
  const fileSizeBytes = (await stat(localPath)).size;
  const filePath = `${table.metadata.location}/data/${name}`;
  await lake.env.store.adopt(localPath, filePath);
  return {
    content: FileContent.data,
    filePath,
    fileFormat: "PARQUET",
    specId,
    partition,
    recordCount,
    fileSizeBytes,
  };
}

/** An equality delete file of these columns (of the current schema), from a SELECT of them. */
export async function equalityDeletes(
  lake: LakeFixture,
  table: Table,
  columns: readonly string[],
  sql: string,
  partition: Partition = {},
): Promise<DataFile> {
  const schema = currentSchema(table.metadata);
  const ids = columns.map((name) => columnByName(schema, name)!.id);
  const fieldIds = `{${columns.map((name, at) => `${sqlName(name)}: ${ids[at]}`).join(", ")}}`;
  const file = await foreignFile(lake, { table, sql, fieldIds, partition });
  return { ...file, content: FileContent.equalityDeletes, equalityIds: ids };
}
