import { datasets } from "@firn/datasets";
import { ConfigError, type ServiceDefinition } from "@firn/service";
import { connectStreams, type StreamConnection } from "@firn/stream";

import { parseOwnShards, validatorSettings, type ValidatorSettings } from "./config.ts";
import { Validator } from "./validator.ts";

/** @param connect how to reach the broker; tests give an in-memory one */
function defineValidatorService(
  connect: (settings: ValidatorSettings, signal: AbortSignal) => Promise<StreamConnection>,
): ServiceDefinition<ValidatorSettings> {
  return {
    name: "validator",
    summary: "decodes, validates and converts records: accepted rows and dead letters, exactly once",
    port: 4301,
    settings: validatorSettings,
    async setup(context) {
      const { settings, metrics, health } = context;
      checkSettings(settings);
      const validator = new Validator({
        context,
        datasets: [...datasets.values()],
        connect: (signal) => connect(settings, signal),
      });
      health.addCheck("validator", () => validator.whyNotReady());
      const seconds = metrics.gauge({
        name: "validator_lag_seconds",
        help: "How long the oldest intake message waits to be validated, by dataset and shard.",
        labels: ["dataset", "shard"],
      });
      metrics.gauge({
        name: "validator_lag_messages",
        help: "Intake messages that wait to be validated, by dataset and shard.",
        labels: ["dataset", "shard"],
        collect: async (gauge) => {
          const lags = await validator.lag().catch(() => []);
          // What has gone to another validator is not told here any more.
          gauge.reset();
          seconds.reset();
          for (const lag of lags) {
            const { dataset, shard } = lag;
            gauge.set({ dataset, shard }, lag.messages);
            seconds.set({ dataset, shard }, lag.seconds);
          }
        },
      });
      return { stages: [validator] };
    },
  };
}

export const validatorService = defineValidatorService(({ natsUrl, streamReplicas }, signal) =>
  connectStreams({ url: natsUrl, name: "validator", replicas: streamReplicas, signal }),
);

function checkSettings(settings: ValidatorSettings): void {
  try {
    parseOwnShards(settings.ownShards, settings.shards);
  } catch {
    const rule = `must be all, or shards and ranges of 0–${settings.shards - 1} such as 0,2-3`;
    throw new ConfigError([{ env: "FIRN_VALIDATOR_SHARDS", rule }]);
  }
}
