import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { LakeError } from "../lake-error.ts";
import { AvroReader, AvroWriter } from "./avro-binary.ts";

const MAGIC = Buffer.from("Obj\x01", "latin1");
const SYNC_BYTES = 16;
/** zlib level: 1 costs a third of the default's time here and a tenth more bytes. */
const DEFLATE_LEVEL = 1;
/** Far above any real block; a damaged or hostile one must not fill the memory. */
const BLOCK_BYTES_MAX = 256 * 1024 * 1024;

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
  const entries = Object.entries({ "avro.schema": JSON.stringify(schema), "avro.codec": "deflate", ...metadata });
  const hash = createHash("sha256");
  for (const [key, value] of entries) hash.update(key).update(value);
  for (const block of packed) hash.update(block);
  const sync = hash.digest().subarray(0, SYNC_BYTES);

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

/** Takes a container apart: codecs null and deflate. */
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
    if (!sync.equals(reader.fixed(SYNC_BYTES))) throw new LakeError("corrupt", "an Avro block ends without its marker");
  }
  return { metadata, blocks: codec === "null" ? packed : await Promise.all(packed.map(inflateBlock)) };
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

async function inflateBlock({ records, bytes }: AvroBlock): Promise<AvroBlock> {
  try {
    return { records, bytes: await inflate(bytes, { maxOutputLength: BLOCK_BYTES_MAX }) };
  } catch (cause) {
    throw new LakeError("corrupt", "an Avro block cannot be inflated", { cause });
  }
}
