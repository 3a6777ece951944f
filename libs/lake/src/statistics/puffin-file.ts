import { stringifyLakeJson } from "../metadata/json.ts";
import type { BlobMetadata } from "../metadata/table-metadata.ts";

const MAGIC = Buffer.from("PFA1", "latin1");

export interface PuffinBlob extends BlobMetadata {
  readonly bytes: Uint8Array;
}

export interface PuffinFile {
  readonly bytes: Uint8Array;
  /** From its first magic to the end, as a statistics file's entry in the table metadata says it. */
  readonly footerBytes: number;
}

/** A Puffin file (Puffin specification): magic, blobs, and a footer in JSON, not compressed. */
export function puffinFile(blobs: readonly PuffinBlob[], createdBy: string): PuffinFile {
  let offset = MAGIC.length;
  const described = blobs.map(({ bytes, ...blob }) => {
    const at = { offset, length: bytes.length };
    offset += bytes.length;
    return { ...blob, ...at };
  });
  const json = Buffer.from(stringifyLakeJson({ blobs: described, properties: { "created-by": createdBy } }), "utf8");
  const end = Buffer.alloc(8);
  end.writeUInt32LE(json.length, 0);
  const footer = Buffer.concat([MAGIC, json, end, MAGIC]);
  return { bytes: Buffer.concat([MAGIC, ...blobs.map((blob) => blob.bytes), footer]), footerBytes: footer.length };
}
