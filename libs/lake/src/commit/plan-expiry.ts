import { MAIN_BRANCH, type Snapshot } from "../metadata/snapshot.ts";
import { snapshotById, type TableMetadata } from "../metadata/table-metadata.ts";

/** Which snapshots are kept: thinned with age, bounded in number. */
export interface ExpiryPolicy {
  /** Every snapshot that is younger. Default ten minutes. */
  readonly keepAllMs?: number;
  /** The last snapshot of each hour that is younger. Default 30 days. */
  readonly keepHourlyMs?: number;
  /** Never more than so many, beside those that something names. Default 1,000. */
  readonly snapshotsMax?: number;
  /** Snapshots that something outside of the table names, as aggregates name the raw snapshot that they equal. */
  readonly keep?: Iterable<bigint>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const KEEP_ALL_MS = 10 * MINUTE_MS;
const KEEP_HOURLY_MS = 30 * 24 * HOUR_MS;
const SNAPSHOTS_MAX = 1_000;

/**
 * The snapshots to expire, oldest first. What branches and tags point at stays, with as many ancestors as a branch
 * asks for. When too many would stay, the hourly ones are kept before the many of the last minutes, newest first.
 */
export function planExpiry(metadata: TableMetadata, nowMs: number, policy: ExpiryPolicy = {}): bigint[] {
  if (metadata.properties["gc.enabled"] === "false") return [];
  const { keepAllMs = KEEP_ALL_MS, keepHourlyMs = KEEP_HOURLY_MS, snapshotsMax = SNAPSHOTS_MAX } = policy;
  const newestFirst = metadata.snapshots.toSorted((one, other) => other["sequence-number"] - one["sequence-number"]);
  const kept = namedSnapshots(metadata);
  for (const id of policy.keep ?? []) kept.add(id);

  const room = snapshotsMax - newestFirst.filter((snapshot) => kept.has(snapshot["snapshot-id"])).length;
  const youngerThan = (ageMs: number): Snapshot[] =>
    newestFirst.filter((snapshot) => nowMs - snapshot["timestamp-ms"] < ageMs && !kept.has(snapshot["snapshot-id"]));
  const wanted = [...lastOfEachHour(youngerThan(keepHourlyMs)), ...youngerThan(keepAllMs)];
  const chosen = new Set<bigint>();
  for (const snapshot of wanted) {
    if (chosen.size >= room) break;
    chosen.add(snapshot["snapshot-id"]);
  }
  return newestFirst
    .map((snapshot) => snapshot["snapshot-id"])
    .filter((id) => !kept.has(id) && !chosen.has(id))
    .reverse();
}

/** What references point at, with `min-snapshots-to-keep` of a branch. */
function namedSnapshots(metadata: TableMetadata): Set<bigint> {
  const named = new Set<bigint>();
  for (const ref of Object.values(metadata.refs)) {
    let left = ref.type === "branch" ? (ref["min-snapshots-to-keep"] ?? 1) : 1;
    for (let id: bigint | undefined = ref["snapshot-id"]; id !== undefined && left > 0; left--) {
      named.add(id);
      id = snapshotById(metadata, id)?.["parent-snapshot-id"];
    }
  }
  const current = metadata["current-snapshot-id"] ?? metadata.refs[MAIN_BRANCH]?.["snapshot-id"];
  if (current !== undefined) named.add(current);
  return named;
}

function lastOfEachHour(newestFirst: readonly Snapshot[]): Snapshot[] {
  const seen = new Set<number>();
  return newestFirst.filter((snapshot) => {
    const hour = Math.floor(snapshot["timestamp-ms"] / HOUR_MS);
    if (seen.has(hour)) return false;
    seen.add(hour);
    return true;
  });
}
