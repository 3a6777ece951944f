import { LakeError } from "../lake-error.ts";
import type { DataFile, LiveFile } from "../manifest/data-file.ts";
import { prepareManifest, readManifest, type PendingWrite } from "../manifest/manifest-io.ts";
import type { ManifestContent, ManifestFile } from "../manifest/manifest-file.ts";
import type { ManifestEntry } from "../manifest/manifest-entry.ts";
import { currentSchema, type TableMetadata } from "../metadata/table-metadata.ts";
import { joinLocation } from "../store/location.ts";
import { boundSpec, type BoundSpec } from "../transform/bound-spec.ts";
import type { LakeEnvironment } from "./environment.ts";

/** What one snapshot of a commit is known by before anything of it is written. */
export interface SnapshotIdentity {
  readonly snapshotId: bigint;
  readonly sequenceNumber: number;
}

export interface EntriesToWrite {
  readonly added?: readonly DataFile[];
  readonly existing?: readonly LiveFile[];
  readonly deleted?: readonly LiveFile[];
}

/**
 * The manifests of one commit while it is put together. Nothing is in the store before `flush`, which writes all side
 * by side: so a commit costs one round of syncs, however many manifests it has.
 */
export class Staging {
  readonly #env: LakeEnvironment;
  readonly metadata: TableMetadata;
  readonly #folder: string;
  readonly #commitUuid: string;
  readonly #specs = new Map<number, BoundSpec>();
  readonly #pending: PendingWrite[] = [];
  readonly #entries = new Map<string, readonly ManifestEntry[]>();
  #manifestCount = 0;

  constructor(env: LakeEnvironment, metadata: TableMetadata) {
    this.#env = env;
    this.metadata = metadata;
    this.#folder = metadata.properties["write.metadata.path"] ?? joinLocation(metadata.location, "metadata");
    this.#commitUuid = env.randomness.uuid();
  }

  spec(specId: number): BoundSpec {
    const known = this.#specs.get(specId);
    if (known !== undefined) return known;
    const spec = boundSpec(this.metadata, specId);
    this.#specs.set(specId, spec);
    return spec;
  }

  /** Entries of a manifest of the table, or of one that this commit is about to write. */
  async entries(manifest: ManifestFile): Promise<readonly ManifestEntry[]> {
    return this.#entries.get(manifest.manifestPath) ?? readManifest(this.#env, this.metadata, manifest);
  }

  async addManifest(
    snapshot: SnapshotIdentity,
    specId: number,
    content: ManifestContent,
    { added = [], existing = [], deleted = [] }: EntriesToWrite,
  ): Promise<ManifestFile> {
    const pending = await prepareManifest(this.#env, {
      location: joinLocation(this.#folder, `${this.#commitUuid}-m${this.#manifestCount++}.avro`),
      content,
      spec: this.spec(specId),
      schema: currentSchema(this.metadata),
      ...snapshot,
      added,
      existing,
      deleted,
    });
    this.#pending.push(pending);
    this.#entries.set(pending.location, pending.entries);
    return pending.manifest;
  }

  listLocation({ snapshotId }: SnapshotIdentity): string {
    return joinLocation(this.#folder, `snap-${snapshotId}-1-${this.#commitUuid}.avro`);
  }

  addList(list: PendingWrite): void {
    this.#pending.push(list);
  }

  /** Writes everything; resolves with the locations when all is durable. */
  async flush(): Promise<string[]> {
    const ends = await Promise.allSettled(this.#pending.map((write) => write.put()));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return this.#pending.map((write) => write.location);
  }
}

/** Fails for tables that cannot be written here. */
export function checkWritable(metadata: TableMetadata): void {
  const version = metadata["format-version"];
  if (version === 2) return;
  throw new LakeError("unsupported", `tables of format version ${version} are read here, not written`, {
    context: { location: metadata.location, formatVersion: version },
  });
}
