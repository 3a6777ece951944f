import { LakeError } from "../lake-error.ts";
import type { PrimitiveType } from "../metadata/schema.ts";
import type { BoundSpec } from "../transform/bound-spec.ts";
import { FileContent, type LiveFile } from "./data-file.ts";
import { EntryStatus } from "./manifest-entry.ts";
import { ManifestContent } from "./manifest-file.ts";

/** What Avro gives for an entry; null fields are missing. */
export interface RawEntry {
  readonly status: EntryStatus;
  readonly snapshotId?: number | bigint;
  readonly sequenceNumber?: number;
  readonly fileSequenceNumber?: number;
  readonly file: Mutable<Omit<LiveFile, "partition">> & { partition: Record<string, unknown> };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const FORMATS: ReadonlySet<string> = new Set(["PARQUET", "AVRO", "ORC", "PUFFIN"]);
const METRICS = [
  "columnSizes",
  "valueCounts",
  "nullValueCounts",
  "nanValueCounts",
  "lowerBounds",
  "upperBounds",
] as const;
const LISTS = ["splitOffsets", "equalityIds"] as const;
const NUMBERS = ["sortOrderId", "contentOffset", "contentSizeBytes"] as const;

/**
 * Avro's types are those of the file's own schema, so what was read may be anything: checks that it is an entry of a
 * manifest of this content and spec.
 * @throws LakeError `corrupt`
 */
export function entryCheck(spec: BoundSpec, content: ManifestContent): (raw: RawEntry) => void {
  const partitionChecks = spec.fields.map(({ name, resultType }) => ({ name, fits: valueCheck(resultType) }));
  return (raw) => {
    const { status, file } = raw;
    if (status !== EntryStatus.existing && status !== EntryStatus.added && status !== EntryStatus.deleted) {
      throw corrupt(`an entry has the status ${String(status)}`);
    }
    if (typeof file !== "object" || file === null) throw corrupt("an entry has no data_file");
    if (typeof file.filePath !== "string" || file.filePath === "") throw corrupt("an entry has no file_path");
    for (const name of ["sequenceNumber", "fileSequenceNumber"] as const) {
      if (raw[name] !== undefined && !isCount(raw[name])) throw misfit(file, name);
    }
    if (raw.snapshotId !== undefined && typeof raw.snapshotId !== "bigint" && !Number.isInteger(raw.snapshotId)) {
      throw misfit(file, "snapshotId");
    }
    checkFile(file, content);
    if (typeof file.partition !== "object" || file.partition === null) throw misfit(file, "partition");
    for (const { name, fits } of partitionChecks) {
      const value = file.partition[name];
      if (value !== undefined && !fits(value)) throw misfit(file, `partition value ${name}`);
    }
  };
}

function checkFile(file: RawEntry["file"], content: ManifestContent): void {
  if (!isCount(file.recordCount)) throw misfit(file, "record_count");
  if (!isCount(file.fileSizeBytes)) throw misfit(file, "file_size_in_bytes");
  if (typeof file.fileFormat !== "string") throw misfit(file, "file_format");
  if (file.fileFormat !== "PARQUET" && !FORMATS.has(file.fileFormat.toUpperCase()))
    throw misfit(file, `file_format (${file.fileFormat})`);
  const held = file.content ?? FileContent.data;
  if (held !== 0 && held !== 1 && held !== 2) throw misfit(file, "content");
  if ((held === FileContent.data) !== (content === ManifestContent.data)) {
    throw corrupt(`${file.filePath} is ${held === FileContent.data ? "data" : "deletes"}, its manifest is not`);
  }
  for (const name of METRICS) if (file[name] !== undefined && !isMap(file[name])) throw misfit(file, name);
  for (const name of NUMBERS) if (file[name] !== undefined && !isCount(file[name])) throw misfit(file, name);
  for (const name of LISTS) {
    const list: unknown = file[name];
    if (list !== undefined && !(Array.isArray(list) && list.every(isCount))) throw misfit(file, name);
  }
  const { referencedDataFile: referenced } = file;
  if (referenced !== undefined && typeof referenced !== "string") throw misfit(file, "referenced_data_file");
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

const isMap = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as ReadonlyMap<number, unknown>).get === "function";

const isNumber = (value: unknown): boolean => typeof value === "number";
const isWhole = (value: unknown): boolean => typeof value === "bigint" || Number.isInteger(value);
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  boolean: (value) => typeof value === "boolean",
  int: Number.isInteger,
  date: Number.isInteger,
  long: isWhole,
  time: isWhole,
  timestamp: isWhole,
  timestamptz: isWhole,
  timestamp_ns: isWhole,
  timestamptz_ns: isWhole,
  float: isNumber,
  double: isNumber,
  string: (value) => typeof value === "string",
  uuid: (value) => typeof value === "string" || (value instanceof Uint8Array && value.length === 16),
};

function valueCheck(type: PrimitiveType): (value: unknown) => boolean {
  return CHECKS[type] ?? isBytes;
}

function misfit(file: { readonly filePath: string }, what: string): LakeError {
  return corrupt(`the entry of ${file.filePath} has a ${what} that is none`);
}

function corrupt(why: string): LakeError {
  return new LakeError("corrupt", why);
}
