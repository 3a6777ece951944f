import { createDatasets } from "@firn/datasets";
import { openLake } from "@firn/lake";
import { lakeOptionsOf, type ServiceDefinition } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { type WriterSettings, writerSettings } from "./config.ts";
import { createWriterMetrics } from "./writer-metrics.ts";
import { createWriter } from "./writer.ts";

export const writerService: ServiceDefinition<WriterSettings> = {
  name: "catalog-writer",
  summary: "the only writer of tables: raw, dead letters and rollups, exactly once",
  port: 4303,
  settings: writerSettings,
  async setup(context) {
    const { settings, metrics, health } = context;
    const lake = lakeOptionsOf("catalog-writer", context);
    const writer = createWriter({
      context,
      datasets: [...createDatasets(settings).values()],
      metrics: createWriterMetrics(metrics),
      connectStreams: (signal) =>
        connectStreams({ url: settings.natsUrl, name: "catalog-writer", replicas: settings.streamReplicas, signal }),
      openLake: () => openLake(lake),
    });
    health.addCheck("writer", () => writer.whyNotReady());
    return { stages: [writer] };
  },
};
