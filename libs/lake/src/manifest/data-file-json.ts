import { LakeError } from "../lake-error.ts";
import { FileContent, type DataFile, type Partition, type PartitionValue } from "./data-file.ts";

/**
 * Data files as JSON, for one process that stages files to hand them to another that commits them: an array of objects
 * with the properties of `DataFile`; maps as arrays of [field id, value], bytes as base64, and a partition value that
 * JSON does not have as `{"bigint": text}`, `{"bytes": base64}` or `{"number": "NaN" | "Infinity" | "-Infinity"}`.
 */
export function encodeDataFiles(files: readonly DataFile[]): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, files: files.map(fileToJson) }), "utf8");
}

/** @throws SyntaxError when the bytes are not a list of data files of version 1. */
export function decodeDataFiles(bytes: Uint8Array): DataFile[] {
  const message = JSON.parse(Buffer.from(bytes).toString("utf8")) as { v?: unknown; files?: unknown } | null;
  if (typeof message?.v === "number" && message.v > 1)
    throw new LakeError("unsupported", `a list of data files of version ${message.v}: this release reads version 1`, {
      context: { version: message.v },
    });
  if (message?.v !== 1 || !Array.isArray(message.files)) throw new SyntaxError("not a list of data files of version 1");
  return (message.files as unknown[]).map(fileFromJson);
}

const countMaps = ["columnSizes", "valueCounts", "nullValueCounts", "nanValueCounts"] as const;
const boundMaps = ["lowerBounds", "upperBounds"] as const;

function fileToJson(file: DataFile): object {
  const json: Record<string, unknown> = {
    content: file.content,
    filePath: file.filePath,
    fileFormat: file.fileFormat,
    specId: file.specId,
    partition: Object.fromEntries(Object.entries(file.partition).map(([name, value]) => [name, valueToJson(value)])),
    recordCount: file.recordCount,
    fileSizeBytes: file.fileSizeBytes,
    sortOrderId: file.sortOrderId,
  };
  for (const name of countMaps) if (file[name]) json[name] = [...file[name]];
  for (const name of boundMaps)
    if (file[name]) json[name] = [...file[name]].map(([id, bytes]) => [id, Buffer.from(bytes).toString("base64")]);
  return json;
}

function fileFromJson(json: unknown): DataFile {
  const { partition, ...rest } = json as Record<string, unknown> & { partition: Record<string, unknown> };
  const { filePath, fileFormat, recordCount, fileSizeBytes, specId } = rest;
  const numbers = [recordCount, fileSizeBytes, specId];
  if (typeof filePath !== "string" || fileFormat !== "PARQUET" || !numbers.every(Number.isSafeInteger))
    throw new SyntaxError("a data file has no path, format or size");
  const file: Record<string, unknown> = { ...rest, content: FileContent.data, partition: partitionFromJson(partition) };
  for (const name of countMaps) if (rest[name]) file[name] = new Map(rest[name] as [number, number][]);
  for (const name of boundMaps)
    if (rest[name])
      file[name] = new Map((rest[name] as [number, string][]).map(([id, text]) => [id, Buffer.from(text, "base64")]));
  return file as unknown as DataFile;
}

function valueToJson(value: PartitionValue): unknown {
  if (typeof value === "bigint") return { bigint: String(value) };
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("base64") };
  return typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
}

function partitionFromJson(partition: Readonly<Record<string, unknown>>): Partition {
  return Object.fromEntries(Object.entries(partition).map(([name, value]) => [name, valueFromJson(value)]));
}

function valueFromJson(value: unknown): PartitionValue {
  if (value === null || typeof value !== "object") return value as PartitionValue;
  const tagged = value as { bigint?: string; bytes?: string; number?: string };
  if (tagged.bigint !== undefined) return BigInt(tagged.bigint);
  if (tagged.bytes !== undefined) return Buffer.from(tagged.bytes, "base64");
  return Number(tagged.number);
}
