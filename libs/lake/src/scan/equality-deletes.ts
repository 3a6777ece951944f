import { LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import { fieldById, isNested, type StructField } from "../metadata/schema.ts";
import { currentSchema, type TableMetadata } from "../metadata/table-metadata.ts";
import type { ReadingRules } from "./reading-rules.ts";

/**
 * Equality delete files that compare the same columns and apply to the same data files, but for their sequence numbers
 * (specification, "Equality Delete Files" and "Scan Planning"): those of one partition, or those of an unpartitioned
 * spec, which apply everywhere. A row goes when a file of a higher sequence number than its own file's has its key.
 */
export interface EqualityDeletes {
  readonly columns: readonly StructField[];
  /** Applies to data files of every partition. */
  readonly everywhere: boolean;
  readonly files: readonly LiveFile[];
  /** The highest of a file in it. */
  readonly sequenceNumber: number;
  readonly reading: ReadingRules;
}

export interface EqualityDeleteIndex {
  /** Groups with a file that applies to the data file. */
  deletesOf(file: LiveFile): readonly EqualityDeletes[];
}

const NONE: readonly EqualityDeletes[] = [];

/** @param partitionOf the key of a file's partition; undefined: its spec has no partition fields */
export function equalityDeleteIndex(
  metadata: TableMetadata,
  files: readonly LiveFile[],
  partitionOf: (file: LiveFile) => string | undefined,
  reading: ReadingRules,
): EqualityDeleteIndex {
  if (files.length === 0) return { deletesOf: () => NONE };
  const byPartition = new Map<string | undefined, Map<string, LiveFile[]>>();
  for (const file of files) {
    const partition = partitionOf(file);
    const byColumns = byPartition.get(partition) ?? new Map<string, LiveFile[]>();
    byPartition.set(partition, byColumns);
    const key = [...(file.equalityIds ?? [])].sort((a, b) => a - b).join();
    const same = byColumns.get(key);
    if (same === undefined) byColumns.set(key, [file]);
    else same.push(file);
  }
  const groups = new Map<string | undefined, EqualityDeletes[]>();
  for (const [partition, byColumns] of byPartition) {
    const everywhere = partition === undefined;
    groups.set(
      partition,
      [...byColumns.values()].map((same) => groupOf(metadata, same, everywhere, reading)),
    );
  }
  const global = groups.get(undefined) ?? NONE;
  return {
    deletesOf: (file) => {
      const partition = partitionOf(file);
      const own = partition === undefined ? NONE : (groups.get(partition) ?? NONE);
      if (own.length === 0 && global.length === 0) return NONE;
      return [...own, ...global].filter((group) => group.sequenceNumber > file.sequenceNumber);
    },
  };
}

function groupOf(
  metadata: TableMetadata,
  files: readonly LiveFile[],
  everywhere: boolean,
  reading: ReadingRules,
): EqualityDeletes {
  const [first] = files;
  const columns = [...(first!.equalityIds ?? [])].sort((a, b) => a - b).map((id) => columnOf(metadata, id, first!));
  if (columns.length === 0) throw refused("corrupt", first!, "it names no columns to compare");
  const sequenceNumber = files.reduce((highest, file) => Math.max(highest, file.sequenceNumber), 0);
  return { columns, everywhere, files, sequenceNumber, reading };
}

/** The newest definition of a column; one that was dropped since is found in an older schema. */
function columnOf(metadata: TableMetadata, id: number, file: LiveFile): StructField {
  const schemas = [currentSchema(metadata), ...metadata.schemas.toReversed()];
  for (const schema of schemas) {
    const column = schema.fields.find((field) => field.id === id);
    if (column !== undefined && isNested(column.type)) break;
    if (column !== undefined) return column;
  }
  if (schemas.some((schema) => fieldById(schema, id) !== undefined)) {
    throw refused("unsupported", file, `it compares the nested field ${id}, which is not done here`);
  }
  throw refused("corrupt", file, `it compares field ${id}, which no schema of the table has`);
}

function refused(kind: "corrupt" | "unsupported", file: LiveFile, why: string): LakeError {
  return new LakeError(kind, `equality delete file ${file.filePath}: ${why}`, { context: { file: file.filePath } });
}
