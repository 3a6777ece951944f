import { decompress as zstdDecompress } from "fzstd";
import kafkajs from "kafkajs";
import { decompress as lz4Decompress } from "lz4js";
import { uncompress as snappyUncompress } from "snappyjs";

const { CompressionCodecs, CompressionTypes } = kafkajs;

/** xerial's framing of snappy, as Java's producers write it: magic, two versions, then blocks behind their length. */
const XERIAL_MAGIC = Buffer.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const XERIAL_HEADER_BYTES = 16;

/**
 * Teaches the client to read what producers compress with: it brings gzip only. Firn's own producer compresses with
 * gzip or not at all, so the other side of these is never asked for.
 */
export function registerCompressions(): void {
  const decompressors = [
    [CompressionTypes.Snappy, unpackSnappy],
    [CompressionTypes.LZ4, (packed: Buffer) => Buffer.from(lz4Decompress(packed))],
    [CompressionTypes.ZSTD, (packed: Buffer) => Buffer.from(zstdDecompress(packed))],
  ] as const;
  for (const [type, unpack] of decompressors) {
    CompressionCodecs[type] = () => ({
      compress: () => Promise.reject(new Error("this compression is for reading only")),
      decompress: async (packed: Buffer) => unpack(packed),
    });
  }
}

export function unpackSnappy(packed: Buffer): Buffer {
  if (!packed.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return Buffer.from(snappyUncompress(packed));
  const blocks: Uint8Array[] = [];
  for (let at = XERIAL_HEADER_BYTES; at < packed.length;) {
    const length = packed.readUInt32BE(at);
    const start = at + 4;
    at = start + length;
    blocks.push(snappyUncompress(packed.subarray(start, at)));
  }
  return Buffer.concat(blocks);
}
