import { createDatasets } from "@firn/datasets";
import { openLake } from "@firn/lake";
import { lakeOptionsOf, type ServiceDefinition } from "@firn/service";
import { connectStreams } from "@firn/stream";
import { createAggregator } from "./aggregator.ts";
import { type AggregatorSettings, aggregatorSettings } from "./config.ts";

export const aggregatorService: ServiceDefinition<AggregatorSettings> = {
  name: "aggregator",
  summary: "keeps the rollups of days, weeks and months equal to raw",
  port: 4302,
  settings: aggregatorSettings,
  async setup(context) {
    const { settings } = context;
    const lake = lakeOptionsOf("aggregator", context);
    const aggregator = createAggregator({
      context,
      datasets: [...createDatasets(settings).values()],
      connectStreams: (signal) =>
        connectStreams({ url: settings.natsUrl, name: "aggregator", replicas: settings.streamReplicas, signal }),
      openLake: () => openLake(lake),
    });
    context.health.addCheck("aggregator", () => aggregator.whyNotReady());
    return { stages: [aggregator] };
  },
};
