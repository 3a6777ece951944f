import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { isLakeError, LakeError } from "../lake-error.ts";
import type { LiveFile } from "../manifest/data-file.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { roaringPositions, type PositionBits } from "./roaring-positions.ts";

const MAGIC = Buffer.from([0xd1, 0xd3, 0x39, 0x64]);
const LENGTH_BYTES = 4;
const CRC_BYTES = 4;
const VECTOR_BYTES_MAX = 256 * 1024 * 1024;
/** A vector is held as one bit a row of its file. */
const ROWS_MAX = 500_000_000;

export const isDeletionVector = (file: LiveFile): boolean => file.fileFormat === "PUFFIN";

/**
 * The positions of a v3 deletion vector (Puffin specification, blob type `deletion-vector-v1`; Iceberg specification,
 * "Deletion Vectors"): a blob of the Puffin file that the manifest entry points into.
 * @param rows of the data file that it belongs to
 * @throws LakeError naming the Puffin file
 */
export async function readDeletionVector(
  store: Pick<ObjectStore, "localPath">,
  file: LiveFile,
  rows: number,
): Promise<PositionBits> {
  const context = { file: file.filePath };
  try {
    if (rows > ROWS_MAX) throw new LakeError("unsupported", `files of more than ${ROWS_MAX} rows have no vectors here`);
    const positions = roaringPositions(checkedVector(await readBlob(store, file)), rows);
    if (positions.count === file.recordCount) return positions;
    const said = `its manifest says ${file.recordCount}`;
    throw new LakeError("corrupt", `the deletion vector has ${positions.count} positions, ${said}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new LakeError("not_found", `${file.filePath} is not there`, { cause: error, context });
    if (!isLakeError(error, "corrupt", "unsupported")) throw error;
    throw new LakeError(error.kind, `${file.filePath}: ${error.message}`, { cause: error, context });
  }
}

async function readBlob(store: Pick<ObjectStore, "localPath">, file: LiveFile): Promise<Buffer> {
  const { contentOffset, contentSizeBytes, filePath, fileSizeBytes } = file;
  if (contentOffset === undefined || contentSizeBytes === undefined) {
    throw new LakeError("corrupt", "the manifest does not say where in it the deletion vector lies");
  }
  if (contentOffset < 0 || contentSizeBytes < 0 || contentSizeBytes > VECTOR_BYTES_MAX) {
    throw new LakeError("corrupt", `no deletion vector lies at ${contentOffset} with ${contentSizeBytes} bytes`);
  }
  const handle = await open(await store.localPath(filePath, fileSizeBytes), "r");
  try {
    const { size } = await handle.stat();
    if (contentOffset + contentSizeBytes > size) {
      throw new LakeError("corrupt", `the deletion vector would end behind its ${size} bytes`);
    }
    const { buffer } = await handle.read(Buffer.alloc(contentSizeBytes), 0, contentSizeBytes, contentOffset);
    return buffer;
  } finally {
    await handle.close();
  }
}

/** Length, magic and checksum are right; what is between is the bitmap. */
function checkedVector(blob: Buffer): Buffer {
  const around = LENGTH_BYTES + MAGIC.length + CRC_BYTES;
  const damaged = (why: string): LakeError => new LakeError("corrupt", `the deletion vector is damaged: ${why}`);
  if (blob.length < around) throw damaged("it ends early");
  if (blob.readUInt32BE(0) !== blob.length - LENGTH_BYTES - CRC_BYTES) throw damaged("its length is another");
  const body = blob.subarray(LENGTH_BYTES, blob.length - CRC_BYTES);
  if (!MAGIC.equals(body.subarray(0, MAGIC.length))) throw damaged("it does not begin as one");
  if (crc32(body) !== blob.readUInt32BE(blob.length - CRC_BYTES)) throw damaged("its checksum is another");
  return body.subarray(MAGIC.length);
}
