import { datasetSettings } from "@firn/datasets";
import { defineSettings, lakeSettings, memberSettings, pipelineSettings } from "@firn/service";

export const aggregatorSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  ...lakeSettings,
  ...datasetSettings,
  streamReplicas: pipelineSettings.streamReplicas,
  defaultZone: pipelineSettings.defaultZone,
  memoryBytes: { ...pipelineSettings.memoryBytes, default: 160 * 1024 ** 2 },
  ...memberSettings,
});

export type AggregatorSettings = ReturnType<(typeof aggregatorSettings)["parse"]>;
