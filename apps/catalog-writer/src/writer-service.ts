import { join } from "node:path";
import { createDatasets } from "@firn/datasets";
import { openLake } from "@firn/lake";
import { createLakeMetrics, s3SettingsOf, type ServiceDefinition } from "@firn/service";
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
    // Once: the lake is opened again where the first try fails.
    const observer = createLakeMetrics(context.metrics);
    const { settings, metrics, health } = context;
    const writer = createWriter({
      context,
      datasets: [...createDatasets(settings).values()],
      metrics: createWriterMetrics(metrics),
      connectStreams: (signal) =>
        connectStreams({
          url: settings.natsUrl,
          name: "catalog-writer",
          replicas: settings.streamReplicas,
          signal,
        }),
      openLake: () =>
        openLake({
          ...settings,
          s3: s3SettingsOf(settings),
          observer,
          cacheFolder: join(settings.dataDir, "objects", "catalog-writer"),
        }),
    });
    health.addCheck("writer", () => writer.whyNotReady());
    return { stages: [writer] };
  },
};
