import type { Metrics } from "./metrics.ts";

/** Counts what a lake tells of its dealings with the object store and the catalog (LakeObserver of @firn/lake). */
export function createLakeMetrics(metrics: Metrics) {
  const requests = metrics.counter({
    name: "s3_requests_total",
    help: "Requests to S3, each try of its own, by operation and outcome (ok, not_found, conflict, refused, failed).",
    labels: ["operation", "outcome"],
  });
  const unknown = metrics.counter({
    name: "commit_unknown_outcomes_total",
    help: "Commits whose answer was lost, by table; the table was then looked at for what became of them.",
    labels: ["table"],
  });
  return {
    s3Request: (operation: string, outcome: string): void => requests.inc({ operation, outcome }),
    unknownOutcome: (table: string): void => unknown.inc({ table }),
  };
}
