import { LakeError } from "../lake-error.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { boundSpec } from "../transform/bound-spec.ts";
import type { AvroBlock } from "./avro-container.ts";
import type { ManifestCache, Sized } from "./manifest-cache.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { decodeManifestList, encodeManifestList, type ManifestListHeader } from "./manifest-list.ts";
import { decodeEntries, manifestBlocks } from "./decode-manifest.ts";
import { encodeManifest, type ManifestToWrite } from "./encode-manifest.ts";
import type { ManifestEntry } from "./manifest-entry.ts";

/** What reading and writing manifests needs of an environment. */
export interface ManifestEnvironment {
  readonly store: ObjectStore;
  readonly manifests: ManifestCache;
}

/** What an entry takes in memory beside the block that its metrics are left in; measured. */
const BYTES_PER_ENTRY = 850;
const BYTES_PER_LIST_ENTRY = 800;

export function readManifestList(env: ManifestEnvironment, location: string): Promise<readonly ManifestFile[]> {
  return env.manifests.load(listKey(location), async () => {
    const value = await naming("manifest list", location, async () =>
      decodeManifestList(await env.store.get(location)),
    );
    return { value, bytes: value.length * BYTES_PER_LIST_ENTRY };
  });
}

/** All entries of a manifest, deleted ones too. */
export function readManifest(
  env: ManifestEnvironment,
  metadata: TableMetadata,
  manifest: ManifestFile,
): Promise<readonly ManifestEntry[]> {
  return env.manifests.load(manifest.manifestPath, () =>
    naming("manifest", manifest.manifestPath, async () => {
      const bytes = await env.store.get(manifest.manifestPath);
      if (bytes.length !== manifest.manifestLength) {
        throw new LakeError("corrupt", `it has ${bytes.length} bytes, its list says ${manifest.manifestLength}`);
      }
      const spec = boundSpec(metadata, manifest.specId);
      const { schema, blocks } = await manifestBlocks(bytes, manifest, spec);
      return sized(decodeEntries(schema, blocks, manifest, spec), blocks);
    }),
  );
}

/** Entries hold on to the memory of their blocks, which may be more than a block fills of it. */
function sized(entries: readonly ManifestEntry[], blocks: readonly AvroBlock[]): Sized<readonly ManifestEntry[]> {
  const buffers = new Set(blocks.map(({ bytes }) => bytes.buffer));
  const encoded = [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { value: entries, bytes: entries.length * BYTES_PER_ENTRY + encoded };
}

/** A list that names itself as one of its manifests must not be taken for one. */
const listKey = (location: string): string => `list ${location}`;

/** Whatever goes wrong inside of the bytes is said of the file; failures of the store name it already. */
async function naming<T>(what: string, location: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const ours = error instanceof LakeError;
    if (ours && error.kind !== "corrupt" && error.kind !== "unsupported") throw error;
    // A schema that its writer made up leads to type errors and endless recursion, which the decoder does not foresee.
    const kind = ours ? error.kind : "corrupt";
    const reason = error instanceof Error ? error.message : String(error);
    throw new LakeError(kind, `${what} ${location}: ${reason}`, { cause: error, context: { location } });
  }
}

/** A manifest or list that is encoded: its description is known before its bytes are in the store. */
export interface PendingWrite {
  readonly location: string;
  /** Resolves when the bytes are durable. */
  put(): Promise<void>;
}

export interface PendingManifest extends PendingWrite {
  readonly manifest: ManifestFile;
  readonly entries: readonly ManifestEntry[];
}

export async function prepareManifest(env: ManifestEnvironment, input: ManifestToWrite): Promise<PendingManifest> {
  const { bytes, manifest, schema, blocks } = await encodeManifest(input);
  const { location, spec } = input;
  // Decoded from what was written: so they are what any reader sees, and hold on to no older manifest.
  const entries = decodeEntries(schema, blocks, manifest, spec);
  return {
    location,
    manifest,
    entries,
    put: async () => {
      await env.store.put(location, bytes);
      env.manifests.keep(location, sized(entries, blocks));
    },
  };
}

export async function prepareManifestList(
  env: ManifestEnvironment,
  location: string,
  header: ManifestListHeader,
  manifests: readonly ManifestFile[],
): Promise<PendingWrite> {
  const bytes = await encodeManifestList(header, manifests);
  return {
    location,
    put: async () => {
      await env.store.put(location, bytes);
      env.manifests.keep(listKey(location), { value: manifests, bytes: manifests.length * BYTES_PER_LIST_ENTRY });
    },
  };
}
