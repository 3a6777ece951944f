import { open } from "node:fs/promises";
import { isLakeError, LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { parseParquetSchema, type ParquetColumns, type ParquetSchema } from "./parquet-schema.ts";

const MAGIC = "PAR1";
const ENCRYPTED_MAGIC = "PARE";
const TRAILER_BYTES = 8;
/** Enough for the schema of nearly every file, in one read. */
const TAIL_BYTES = 16 * 1024;
/** No sane footer is larger. */
const FOOTER_BYTES_MAX = 256 * 1024 * 1024;
const KEPT_MAX = 200_000;

/** Data files never change, so what their footer says is read once. Files of the same columns share one schema. */
interface Kept {
  readonly byLocation: Map<string, ParquetColumns>;
  readonly bySignature: Map<string, ParquetColumns>;
}

const keptByStore = new WeakMap<object, Kept>();

/**
 * The schema in a data file's own footer, and that it has the rows that its manifest says.
 * @throws LakeError naming the file: `not_found`, `corrupt`, `unsupported` for another format than Parquet
 */
export async function fileSchema(store: Pick<ObjectStore, "localPath">, file: LiveFile): Promise<ParquetColumns> {
  const kept = keptByStore.get(store) ?? { byLocation: new Map(), bySignature: new Map() };
  keptByStore.set(store, kept);
  const key = `${file.recordCount} ${file.filePath}`;
  const known = kept.byLocation.get(key);
  if (known !== undefined) return known;
  const { columns, signature } = await readSchema(store, file);
  if (kept.byLocation.size >= KEPT_MAX) kept.byLocation.clear();
  if (kept.bySignature.size >= KEPT_MAX) kept.bySignature.clear();
  const shared = kept.bySignature.get(signature) ?? { columns, signature };
  kept.bySignature.set(signature, shared);
  kept.byLocation.set(key, shared);
  return shared;
}

async function readSchema(store: Pick<ObjectStore, "localPath">, file: LiveFile): Promise<ParquetSchema> {
  const { filePath, fileFormat, recordCount } = file;
  const context = { file: filePath };
  if (fileFormat !== "PARQUET") {
    throw new LakeError("unsupported", `${filePath}: files of format ${fileFormat} are not read here`, { context });
  }
  try {
    const schema = await schemaOfFooter(await store.localPath(filePath, file.fileSizeBytes));
    if (schema.rows === recordCount) return schema;
    throw new LakeError("corrupt", `it has ${schema.rows} rows, its manifest says ${recordCount}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new LakeError("not_found", `${filePath} is not there`, { cause: error, context });
    if (!isLakeError(error, "corrupt", "unsupported")) throw error;
    throw new LakeError(error.kind, `${filePath}: ${error.message}`, { cause: error, context });
  }
}

async function schemaOfFooter(localPath: string): Promise<ParquetSchema> {
  const handle = await open(localPath, "r");
  try {
    const { size } = await handle.stat();
    const tailStart = Math.max(0, size - TAIL_BYTES);
    const read = async (from: number, to: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(to - from), 0, to - from, from);
      return buffer.subarray(0, bytesRead);
    };
    const tail = await read(tailStart, size);
    const footerBytes = checkTrailer(tail, size);
    const start = size - TRAILER_BYTES - footerBytes;
    const first = start >= tailStart ? tail.subarray(start - tailStart) : await read(start, start + TAIL_BYTES);
    const schema =
      parseParquetSchema(first.subarray(0, footerBytes)) ?? parseParquetSchema(await read(start, size - TRAILER_BYTES));
    if (schema !== undefined) return schema;
    throw new LakeError("corrupt", "the footer ends early");
  } finally {
    await handle.close();
  }
}

function checkTrailer(tail: Buffer, size: number): number {
  const magic = tail.subarray(-MAGIC.length).toString("latin1");
  if (magic === ENCRYPTED_MAGIC) throw new LakeError("unsupported", "encrypted Parquet files are not read here");
  if (size < TRAILER_BYTES + MAGIC.length || magic !== MAGIC) {
    throw new LakeError("corrupt", "it does not end as a Parquet file does");
  }
  const footerBytes = tail.readUInt32LE(tail.length - TRAILER_BYTES);
  if (footerBytes > Math.min(FOOTER_BYTES_MAX, size - TRAILER_BYTES - MAGIC.length)) {
    throw new LakeError("corrupt", `its footer cannot have ${footerBytes} bytes`);
  }
  return footerBytes;
}
