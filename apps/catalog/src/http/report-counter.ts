import type { Metrics } from "@firn/service";

/** Types that are counted by name; others are one. */
const REPORT_TYPES = ["scan-report", "commit-report"];

export interface ReportCounter {
  count(type: unknown): void;
}

export function reportCounter(metrics: Metrics): ReportCounter {
  const reports = metrics.counter({
    name: "catalog_metrics_reports_total",
    help: "Scan and commit reports that engines have sent.",
    labels: ["type"],
  });
  return { count: (type) => reports.inc({ type: REPORT_TYPES.find((known) => known === type) ?? "other" }) };
}
