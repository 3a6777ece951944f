import type { LogSpec } from "./connection.ts";
import { StreamError } from "./stream-error.ts";
import { assertSubjectFilters, filterContains } from "./subject.ts";

/** The part of a stream that a LogSpec speaks of. */
export interface StreamShape {
  subjects: readonly string[];
  /** -1: no limit. */
  bytesMax: number;
  metadata: Readonly<Record<string, string>>;
}

/**
 * What a stream should look like after it was opened with the spec: subjects and metadata are added, never taken
 * away, the byte limit follows the spec. Throws `invalid` when a metadata key has another value than the spec says.
 */
export function planStream(spec: LogSpec, found: StreamShape | undefined): StreamShape {
  if (!/^[A-Z0-9_-]{1,64}$/.test(spec.stream)) throw new StreamError("invalid", `not a stream name: "${spec.stream}"`);
  assertSubjectFilters(spec.subjects);
  const have = found?.subjects ?? [];
  const missing = spec.subjects.filter((wanted) => !have.some((filter) => filterContains(filter, wanted)));
  const kept = have.filter((filter) => !missing.some((wanted) => filterContains(wanted, filter)));
  for (const [key, value] of Object.entries(spec.metadata ?? {})) {
    const before = found?.metadata[key];
    if (before !== undefined && before !== value) {
      const message = `stream ${spec.stream} was made with ${key}=${before}; it cannot be opened with ${key}=${value}`;
      throw new StreamError("invalid", message, { stream: spec.stream, key, before, asked: value });
    }
  }
  return {
    subjects: [...kept, ...missing],
    bytesMax: spec.bytesMax ?? found?.bytesMax ?? -1,
    metadata: { ...found?.metadata, ...spec.metadata },
  };
}
