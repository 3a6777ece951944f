/** A rebuild of a dataset, which is one of each of its lanes. */
import type { RebuildReport } from "@firn/core";
import type { RebuildRequest } from "./rebuild.ts";

/** A lane, wherever it is done. */
export interface RebuiltLane {
  rebuild(request: RebuildRequest): Promise<RebuildReport>;
}

/**
 * Computes the windows of a range of local dates anew, lane after lane: weeks and months are made from days. Resolves
 * when all of it is in the tables, or with the first lane whose validation failed.
 */
export async function rebuildLanes(lanes: readonly RebuiltLane[], request: RebuildRequest): Promise<RebuildReport> {
  for (const date of [request.from, request.to])
    if (date !== undefined && !isDate(date)) throw new Error("from and to must be dates as YYYY-MM-DD");
  const reports: RebuildReport[] = [];
  for (const lane of lanes) {
    const report = await lane.rebuild(request);
    reports.push(report);
    if (report.validation?.ok === false) break;
  }
  const sum = (of: (report: RebuildReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const validations = reports.flatMap(({ validation }) => validation ?? []);
  return {
    windows: reports[0]?.windows ?? 0,
    rows: sum(({ rows }) => rows),
    durationMs: sum(({ durationMs }) => durationMs),
    ...(validations.length === 0
      ? {}
      : {
          validation: {
            ok: validations.every(({ ok }) => ok),
            rollups: validations.flatMap(({ rollups }) => rollups),
          },
        }),
  };
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(`${text}T00:00:00Z`));
}
