import { FileContent, type LiveFile } from "../manifest/data-file.ts";
import type { TableMetadata } from "../metadata/table-metadata.ts";
import { normaliseLocation } from "../store/location.ts";
import { boundSpec, partitionKey, type BoundSpec } from "../transform/bound-spec.ts";
import { equalityDeleteIndex, type EqualityDeletes } from "./equality-deletes.ts";
import { readingRules, type ReadingRules } from "./reading-rules.ts";

/** Reserved field ids of position delete files (specification, "Reserved Field IDs"). */
export const DELETE_FILE_PATH_ID = 2_147_483_546;
export const DELETE_POS_ID = 2_147_483_545;

/** Finds the delete files that apply to a data file. */
export interface DeleteIndex {
  /** Position delete files and deletion vectors. */
  deletesOf(file: LiveFile): LiveFile[];
  equalityDeletesOf(file: LiveFile): readonly EqualityDeletes[];
}

interface IndexedDelete {
  readonly file: LiveFile;
  /** Lowest and highest data file location in it, as they are written; undefined: not known. */
  readonly lowest?: string;
  readonly highest?: string;
}

/**
 * An index over the delete files of a snapshot (specification, "Scan Planning"): a position delete applies to data
 * files of the same partition with the same or a lower sequence number, whose location lies within its bounds; an
 * equality delete to those with a lower one.
 */
export function deleteIndex(
  metadata: TableMetadata,
  deletes: readonly LiveFile[],
  reading: ReadingRules = readingRules(metadata),
): DeleteIndex {
  const specs = new Map<number, BoundSpec>();
  const specOf = (file: LiveFile): BoundSpec => {
    const spec = specs.get(file.specId) ?? boundSpec(metadata, file.specId);
    specs.set(file.specId, spec);
    return spec;
  };
  const partitionOf = (file: LiveFile): string => partitionKey(specOf(file), file.partition);
  const isUnpartitioned = (file: LiveFile): boolean =>
    specOf(file).fields.every((field) => field.transform.kind === "void");
  const byLocation = new Map<string, LiveFile[]>();
  const byPartition = new Map<string, IndexedDelete[]>();
  const equality: LiveFile[] = [];
  for (const file of deletes) {
    const single = referencedLocation(file);
    if (file.content === FileContent.equalityDeletes) equality.push(file);
    else if (single !== undefined) push(byLocation, single, file);
    else push(byPartition, partitionOf(file), { file, ...pathBounds(file) });
  }
  const equalityIndex = equalityDeleteIndex(
    metadata,
    equality,
    (file) => (isUnpartitioned(file) ? undefined : partitionOf(file)),
    reading,
  );
  return {
    equalityDeletesOf: (file) => equalityIndex.deletesOf(file),
    deletesOf: (file) => {
      if (byLocation.size === 0 && byPartition.size === 0) return [];
      const single = byLocation.size === 0 ? [] : (byLocation.get(normaliseLocation(file.filePath)) ?? []);
      const shared = byPartition.size === 0 ? [] : (byPartition.get(partitionOf(file)) ?? []);
      const within = shared.filter((candidate) => mayName(candidate, file.filePath)).map((candidate) => candidate.file);
      return [...single, ...within].filter((candidate) => candidate.sequenceNumber >= file.sequenceNumber);
    },
  };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}

/** The one data file that a position delete file names, normalised; undefined when there are several, or it is not known. */
export function referencedLocation(file: LiveFile): string | undefined {
  if (file.content !== FileContent.positionDeletes) return undefined;
  if (file.referencedDataFile !== undefined) return normaliseLocation(file.referencedDataFile);
  const { lowest, highest } = pathBounds(file);
  return lowest !== undefined && lowest === highest ? normaliseLocation(lowest) : undefined;
}

function pathBounds(file: LiveFile): { lowest?: string; highest?: string } {
  const lowest = file.lowerBounds?.get(DELETE_FILE_PATH_ID);
  const highest = file.upperBounds?.get(DELETE_FILE_PATH_ID);
  return {
    ...(lowest === undefined ? {} : { lowest: Buffer.from(lowest).toString("utf8") }),
    ...(highest === undefined ? {} : { highest: Buffer.from(highest).toString("utf8") }),
  };
}

/** Bounds are only compared with a location that begins as they do: `file:/x` and `file:///x` are the same place. */
function mayName({ lowest, highest }: IndexedDelete, location: string): boolean {
  if (lowest === undefined || highest === undefined) return true;
  const beginning = schemeOf(location);
  if (schemeOf(lowest) !== beginning || schemeOf(highest) !== beginning) return true;
  return lowest <= location && location <= highest;
}

const schemeOf = (location: string): string => /^[^/]*\/*/.exec(location)![0];
