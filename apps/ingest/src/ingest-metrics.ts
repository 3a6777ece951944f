import type { Metrics } from "@firn/service";
import type { ByteBudget } from "./byte-budget.ts";
import type { AppendObserver } from "./group-commit.ts";

export interface IngestMetrics {
  accepted(dataset: string, what: { payloads: number; records: number; bytes: number }): void;
  refused(code: string): void;
  readonly appended: AppendObserver;
}

export function createIngestMetrics(metrics: Metrics, budget: ByteBudget): IngestMetrics {
  const labels = ["dataset"] as const;
  const payloads = metrics.counter({ name: "ingest_payloads_total", help: "Payloads accepted.", labels });
  const records = metrics.counter({ name: "ingest_records_total", help: "Records in accepted payloads.", labels });
  const bytes = metrics.counter({ name: "ingest_bytes_total", help: "Unpacked bytes accepted.", labels });
  const refused = metrics.counter({
    name: "ingest_refused_total",
    help: "Requests refused, by the code of the problem.",
    labels: ["code"],
  });
  const seconds = metrics.histogram({
    name: "ingest_append_duration_seconds",
    help: "Time of an append to the intake stream until the broker has it on disk.",
    labels: ["outcome"],
  });
  const requests = metrics.histogram({
    name: "ingest_append_requests",
    help: "Requests that shared an append.",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128],
  });
  metrics.gauge({
    name: "ingest_held_bytes",
    help: "Bytes of request bodies in memory.",
    collect: (gauge) => gauge.set(budget.held),
  });
  return {
    accepted(dataset, what) {
      payloads.inc({ dataset }, what.payloads);
      records.inc({ dataset }, what.records);
      bytes.inc({ dataset }, what.bytes);
    },
    refused: (code) => refused.inc({ code }),
    appended(append) {
      seconds.observe({ outcome: append.failed ? "failed" : "stored" }, append.elapsedMs / 1000);
      requests.observe(append.requests);
    },
  };
}
