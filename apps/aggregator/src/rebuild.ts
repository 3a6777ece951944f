/** What `firn rebuild` asks of the aggregator, and what it hears. */
import type { RebuildReport, RebuildValidation, RoundReport } from "@firn/core";
import { validateRebuild, type ValidationInput } from "./validate-rebuild.ts";
import type { DateRange } from "./window-source.ts";

export interface RebuildRequest extends DateRange {
  /** Whether the rows are judged against raw before they are published. */
  readonly validate?: boolean;
}

/** A request that waits for its round. */
export interface Rebuild {
  readonly request: RebuildRequest;
  done(report: RebuildReport): void;
  failed(error: unknown): void;
}

/** Judges the rows of a round for each rebuild that asked for it. */
export async function validateRebuilds(
  rebuilds: readonly Rebuild[],
  input: Omit<ValidationInput, "range">,
): Promise<Map<Rebuild, RebuildValidation>> {
  const validations = new Map<Rebuild, RebuildValidation>();
  for (const rebuild of rebuilds) {
    const { request: range } = rebuild;
    if (range.validate === true) validations.set(rebuild, await validateRebuild({ ...input, range }));
  }
  return validations;
}

/** Of raw without a row. */
export function nothingRebuilt({ validate }: RebuildRequest): RebuildReport {
  return withValidation({ windows: 0, rows: 0, durationMs: 0 }, validate ? { ok: true, rollups: [] } : undefined);
}

export function withValidation(report: RoundReport, validation: RebuildValidation | undefined): RebuildReport {
  return validation === undefined ? report : { ...report, validation };
}
