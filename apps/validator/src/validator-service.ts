import { datasets } from "@firn/datasets";
import { ConfigError, type ServiceDefinition } from "@firn/service";
import { connectStreams } from "@firn/stream";

import { parseOwnShards, validatorSettings, type ValidatorSettings } from "./config.ts";
import { watchLag } from "./validator-metrics.ts";
import { Validator } from "./validator.ts";

export const validatorService: ServiceDefinition<ValidatorSettings> = {
  name: "validator",
  summary: "decodes, validates and converts records: accepted rows and dead letters, exactly once",
  port: 4301,
  settings: validatorSettings,
  async setup(context) {
    const { settings, metrics, health } = context;
    checkSettings(settings);
    const { natsUrl: url, streamReplicas: replicas } = settings;
    const validator = new Validator({
      context,
      datasets: [...datasets.values()],
      connect: (signal) => connectStreams({ url, name: "validator", replicas, signal }),
    });
    health.addCheck("validator", () => validator.whyNotReady());
    watchLag(metrics, validator);
    return { stages: [validator] };
  },
};

function checkSettings(settings: ValidatorSettings): void {
  try {
    parseOwnShards(settings.ownShards, settings.shards);
  } catch {
    const rule = `must be all, or shards and ranges of 0–${settings.shards - 1} such as 0,2-3`;
    throw new ConfigError([{ env: "FIRN_VALIDATOR_SHARDS", rule }]);
  }
}
