import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { LakeError } from "../lake-error.ts";
import { checksummedName, checksumOf } from "../store/named-checksum.ts";
import { stringifyLakeJson } from "./json.ts";
import { parseTableMetadata } from "./parse-table-metadata.ts";
import type { TableMetadata } from "./table-metadata.ts";

/**
 * Metadata files: their names (`<table>/metadata/00012-<uuid>.metadata.json`, compressed
 * `00012-<uuid>.gz.metadata.json`, as Java's TableMetadataParser and Codec name them; or with their checksum, as
 * PyIceberg's pattern of such names allows, `00012-<uuid>.crc32_9ab0c1d2.metadata.json`) and their bytes.
 */

const CODEC_KEY = "write.metadata.compression-codec";
const METADATA_FOLDER_KEY = "write.metadata.path";
const VERSION_DIGITS = 5;
/** Neither a gzip bomb nor a huge file may fill the memory: no sane metadata is larger. */
const BYTES_MAX = 128 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Where a table's metadata lies: `write.metadata.path`, else `metadata` below its location; without a slash at the
 * end.
 */
export function metadataFolder(metadata: Pick<TableMetadata, "location" | "properties">): string {
  const folder = Object.hasOwn(metadata.properties, METADATA_FOLDER_KEY) && metadata.properties[METADATA_FOLDER_KEY];
  return (folder || `${metadata.location}/metadata`).replace(/\/+$/, "");
}

/**
 * Where the metadata after the one at `previousLocation` is written; the first has version 0.
 * @param bytes what is written: its checksum joins the name, unless it is gzip, which has one of its own
 */
export function nextMetadataLocation(
  metadata: Pick<TableMetadata, "location" | "properties">,
  previousLocation: string | undefined,
  uuid: string,
  bytes?: Uint8Array,
): string {
  const version = previousLocation === undefined ? 0 : metadataVersion(previousLocation) + 1;
  const base = `${String(version).padStart(VERSION_DIGITS, "0")}-${uuid}`;
  const folder = metadataFolder(metadata);
  if (isGzip(metadata)) return `${folder}/${base}.gz.metadata.json`;
  return `${folder}/${bytes === undefined ? `${base}.metadata.json` : checksummedName(base, checksumOf(bytes), "metadata.json")}`;
}

/** The number in front of the file's name, -1 when it has none (a registered file may be named anyhow). */
function metadataVersion(location: string): number {
  const version = /(?:^|\/)v?(\d{1,9})[-.][^/]*$/.exec(location)?.[1];
  return version === undefined ? -1 : Number(version);
}

function isGzip(metadata: Pick<TableMetadata, "properties">): boolean {
  const codec = Object.hasOwn(metadata.properties, CODEC_KEY) ? metadata.properties[CODEC_KEY] : undefined;
  return codec?.toLowerCase() === "gzip";
}

/** The bytes to store; `text` is given by whoever has the JSON already. */
export async function metadataBytes(
  metadata: Pick<TableMetadata, "properties">,
  text = stringifyLakeJson(metadata),
): Promise<Uint8Array> {
  return isGzip(metadata) ? compress(text) : Buffer.from(text, "utf8");
}

/**
 * Reads the bytes of a metadata file, compressed or not, whatever its name says.
 * @throws LakeError `corrupt` or `unsupported`, naming the location.
 */
export async function readMetadata(bytes: Uint8Array, location: string): Promise<TableMetadata> {
  return parseTableMetadata(await metadataText(bytes, location), location);
}

/** The JSON of a metadata file, unpacked where it is packed. */
export async function metadataText(bytes: Uint8Array, location: string): Promise<string> {
  const packed = bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  let plain = bytes;
  if (packed) {
    try {
      plain = await decompress(bytes, { maxOutputLength: BYTES_MAX });
    } catch (cause) {
      const tooLarge = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      const why = tooLarge ? `unpacks to more than ${BYTES_MAX} bytes` : "damaged gzip data";
      throw new LakeError("corrupt", `metadata file ${location}: ${why}`, { cause, context: { location } });
    }
  }
  if (plain.length > BYTES_MAX) {
    const why = `has more than ${BYTES_MAX} bytes`;
    throw new LakeError("unsupported", `metadata file ${location}: ${why}`, { context: { location } });
  }
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString("utf8");
}
