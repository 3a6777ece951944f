import { compareLiterals } from "../manifest/compare-literals.ts";
import { readManifestList } from "../manifest/manifest-io.ts";
import { mayHaveLiveFiles, type ManifestFile } from "../manifest/manifest-file.ts";
import { decodeSingleValue } from "../manifest/single-value.ts";
import { currentSnapshot, type TableMetadata } from "../metadata/table-metadata.ts";
import type { Literal } from "../scan/predicate.ts";
import { boundSpec, type BoundSpec } from "../transform/bound-spec.ts";
import type { LakeEnvironment } from "./environment.ts";
import type { ManifestGroup } from "./manifest-merge.ts";
import type { Table } from "./table.ts";

/**
 * Which manifests are worth writing anew in the order of their files' partitions, so that a scan of a few partitions
 * leaves most of them out. Commits keep their number down by themselves (manifest-merge.ts), in the order of time: that
 * is not the order of partitions where rows come late or a backfill touches all of them.
 */

/** Table property of Iceberg's. */
const TARGET_BYTES_PROPERTY = "commit.manifest.target-size-bytes";
/** A commit that removes a file writes its manifest again, so they are smaller than Java's 8 MiB. */
const TARGET_BYTES = 2 * 1024 * 1024;
/** Fewer are read at once anyway. */
const SMALL_MANIFESTS_MIN = 8;
/** In the order of partitions a manifest meets its two neighbours. */
const OVERLAPS_MAX = 4;

export interface ManifestRewriteOptions {
  /** Entries that are read and written at most: each takes about 1.7 KB of memory meanwhile. */
  readonly entriesMax: number;
}

/** The manifests of the table's current snapshot that are worth writing anew. Reads the manifest list only. */
export async function planManifestRewrite(
  env: Pick<LakeEnvironment, "store" | "manifests">,
  { metadata }: Table,
  options: ManifestRewriteOptions,
): Promise<ManifestGroup[]> {
  const location = currentSnapshot(metadata)?.["manifest-list"];
  if (location === undefined) return [];
  const groups = new Map<string, ManifestFile[]>();
  for (const manifest of (await readManifestList(env, location)).filter(mayHaveLiveFiles)) {
    const key = `${manifest.content}/${manifest.specId}`;
    groups.set(key, [...(groups.get(key) ?? []), manifest]);
  }
  return [...groups.values()].flatMap((group) => planGroup(metadata, group, options) ?? []);
}

function planGroup(
  metadata: TableMetadata,
  group: readonly ManifestFile[],
  { entriesMax }: ManifestRewriteOptions,
): ManifestGroup | undefined {
  const manifests = smallestFirst(group, entriesMax);
  if (manifests.length < 2) return undefined;
  const bytes = manifests.reduce((sum, { manifestLength }) => sum + manifestLength, 0);
  const entries = manifests.reduce((sum, manifest) => sum + entriesOf(manifest), 0);
  const targetBytes = Number(metadata.properties[TARGET_BYTES_PROPERTY] ?? TARGET_BYTES);
  const filesPerManifest = Math.max(1, Math.floor((entries * targetBytes) / bytes));
  const after = Math.ceil(entries / filesPerManifest);
  const many = manifests.length >= SMALL_MANIFESTS_MIN && manifests.length >= 2 * after;
  const all = manifests.length === group.length;
  const scattered = all && after > 1 && overlaps(manifests, boundSpec(metadata, group[0]!.specId)) > OVERLAPS_MAX;
  return many || scattered ? { manifests, filesPerManifest } : undefined;
}

const entriesOf = ({ addedFilesCount, existingFilesCount }: ManifestFile): number =>
  Math.max(1, (addedFilesCount ?? 0) + (existingFilesCount ?? 0));

/** As many as have `entriesMax` entries together. */
function smallestFirst(group: readonly ManifestFile[], entriesMax: number): ManifestFile[] {
  let entries = 0;
  return group
    .toSorted((one, other) => entriesOf(one) - entriesOf(other))
    .filter((manifest) => (entries += entriesOf(manifest)) <= entriesMax);
}

/** How many others a manifest shares partitions with, by the bounds in the list; the mean. */
function overlaps(manifests: readonly ManifestFile[], spec: BoundSpec): number {
  if (spec.fields.length === 0) return 0;
  const boxes = manifests.map((manifest) => spec.fields.map((field, place) => rangeOf(manifest, field, place)));
  let pairs = 0;
  for (const [n, box] of boxes.entries())
    for (const other of boxes.slice(n + 1)) if (box.every((range, place) => meet(range, other[place]))) pairs++;
  return (2 * pairs) / manifests.length;
}

type Range = readonly [Literal, Literal] | undefined;

/** undefined: anything. */
function rangeOf({ partitions }: ManifestFile, { resultType }: BoundSpec["fields"][number], place: number): Range {
  const summary = partitions?.[place];
  if (summary?.lowerBound === undefined || summary.upperBound === undefined) return undefined;
  return [decodeSingleValue(resultType, summary.lowerBound), decodeSingleValue(resultType, summary.upperBound)];
}

function meet(one: Range, other: Range): boolean {
  if (one === undefined || other === undefined) return true;
  return compareLiterals(one[0], other[1]) <= 0 && compareLiterals(other[0], one[1]) <= 0;
}
