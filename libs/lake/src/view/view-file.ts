import { metadataText } from "../metadata/metadata-file.ts";
import { parseViewMetadata } from "./parse-view.ts";
import type { ViewMetadata } from "./view-metadata.ts";

/**
 * Reads the bytes of a view's metadata file, compressed or not, whatever its name says. Names and bytes are made as
 * those of tables (metadata-file.ts).
 * @throws LakeError `corrupt` or `unsupported`, naming the location.
 */
export async function readViewMetadata(bytes: Uint8Array, location: string): Promise<ViewMetadata> {
  return parseViewMetadata(await metadataText(bytes, location), location);
}
