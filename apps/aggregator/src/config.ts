import { datasetSettings } from "@firn/datasets";
import { defineSettings, pipelineSettings } from "@firn/service";

export const aggregatorSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  catalogUri: pipelineSettings.catalogUri,
  warehouse: pipelineSettings.warehouse,
  ...datasetSettings,
  streamReplicas: pipelineSettings.streamReplicas,
  defaultZone: pipelineSettings.defaultZone,
  memoryBytes: pipelineSettings.memoryBytes,
});

export type AggregatorSettings = ReturnType<(typeof aggregatorSettings)["parse"]>;
