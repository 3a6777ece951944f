import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { LakeError } from "../lake-error.ts";
import { AvroReader, AvroWriter } from "./avro-binary.ts";

const MAGIC = Buffer.from("Obj\x01", "latin1");
const SYNC_BYTES = 16;
/** zlib level: 1 costs a third of the default's time here and a tenth more bytes. */
const DEFLATE_LEVEL = 1;
/** Far above any real file; a damaged or hostile one must not fill the memory. */
const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;
/**
 * Says in the header that the sync marker is a hash of all that is in the file, so that a reader can check it. Avro has
 * no checksums, and a flipped bit in a deflated block may well inflate to something that looks right.
 */
const SYNC_KEY = "firn.sync";
const SYNC_OF_CONTENT = "sha256";

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

/** Some records, one after the other in Avro's binary encoding. */
export interface AvroBlock {
  readonly records: number;
  readonly bytes: Uint8Array;
}

export interface AvroContainer {
  readonly metadata: ReadonlyMap<string, string>;
  readonly blocks: readonly AvroBlock[];
}

/**
 * An Avro object container file with deflate blocks (Avro specification, "Object Container Files"). The header is
 * written here and not by a library, because the schema's `field-id` entries must stand in it. The sync marker is a
 * hash of the contents, so that the same records give the same file.
 */
export async function encodeContainer(
  schema: unknown,
  metadata: Readonly<Record<string, string>>,
  blocks: readonly AvroBlock[],
): Promise<Buffer> {
  const packed = await Promise.all(blocks.map((block) => deflate(block.bytes, { level: DEFLATE_LEVEL })));
  const header = { "avro.schema": JSON.stringify(schema), "avro.codec": "deflate", [SYNC_KEY]: SYNC_OF_CONTENT };
  const entries = Object.entries({ ...header, ...metadata });
  const content = packed.map((bytes, n) => ({ records: blocks[n]!.records, bytes }));
  const sync = syncOf(entries, content);

  const writer = new AvroWriter();
  writer.fixed(MAGIC);
  writer.long(entries.length);
  for (const [key, value] of entries) {
    writer.string(key);
    writer.string(value);
  }
  writer.long(0);
  writer.fixed(sync);
  packed.forEach((bytes, n) => {
    writer.long(blocks[n]!.records);
    writer.bytes(bytes);
    writer.fixed(sync);
  });
  return writer.take();
}

function syncOf(entries: Iterable<readonly [string, string]>, blocks: readonly AvroBlock[]): Buffer {
  const hash = createHash("sha256");
  for (const [key, value] of entries) hash.update(`${key.length}:${key}${value.length}:${value}`);
  for (const { records, bytes } of blocks) hash.update(`${records}:${bytes.length}:`).update(bytes);
  return hash.digest().subarray(0, SYNC_BYTES);
}

/**
 * Takes a container apart: codecs null and deflate.
 * @throws LakeError `corrupt`, `unsupported`
 */
export async function decodeContainer(bytes: Uint8Array): Promise<AvroContainer> {
  const reader = new AvroReader(bytes);
  if (!MAGIC.equals(reader.fixed(MAGIC.length))) throw new LakeError("corrupt", "not an Avro container file");
  const metadata = readMetadata(reader);
  const codec = metadata.get("avro.codec") ?? "null";
  if (codec !== "null" && codec !== "deflate")
    throw new LakeError("unsupported", `Avro codec ${codec} is not read here`);
  const sync = Buffer.from(reader.fixed(SYNC_BYTES));
  const packed: AvroBlock[] = [];
  while (reader.remaining > 0) {
    const records = reader.count();
    packed.push({ records, bytes: reader.bytes() });
    if (!sync.equals(reader.fixed(SYNC_BYTES))) throw new LakeError("corrupt", "a block ends without its marker");
  }
  if (metadata.get(SYNC_KEY) === SYNC_OF_CONTENT && !sync.equals(syncOf(metadata, packed))) {
    throw new LakeError("corrupt", "the contents are not those that were written");
  }
  const blocks = codec === "null" ? packed : await inflateAll(packed);
  for (const { records, bytes: content } of blocks) {
    // Every record of ours has a byte at least.
    if (records < 0 || records > content.length)
      throw new LakeError("corrupt", `a block cannot have ${records} records`);
  }
  return { metadata, blocks };
}

function readMetadata(reader: AvroReader): Map<string, string> {
  const metadata = new Map<string, string>();
  for (let entries = reader.count(); entries !== 0; entries = reader.count()) {
    // A negative count is followed by the size of the block in bytes.
    if (entries < 0) reader.count();
    for (let n = Math.abs(entries); n > 0; n--) metadata.set(reader.string(), reader.string());
  }
  return metadata;
}

/** zlib gives its output in pieces of this size: one for most blocks, and not much larger than what it holds. */
function chunkFor(packedBytes: number): number {
  return Math.min(Math.max(packedBytes * 8, 4 * 1024), 272 * 1024);
}

/** One after the other, so that their sum is bounded. */
async function inflateAll(packed: readonly AvroBlock[]): Promise<AvroBlock[]> {
  const blocks: AvroBlock[] = [];
  let left = UNPACKED_BYTES_MAX;
  for (const { records, bytes } of packed) {
    try {
      const unpacked = await inflate(bytes, { maxOutputLength: left, chunkSize: chunkFor(bytes.length) });
      left -= unpacked.length;
      blocks.push({ records, bytes: unpacked });
    } catch (cause) {
      throw new LakeError("corrupt", "a block cannot be inflated", { cause });
    }
  }
  return blocks;
}
