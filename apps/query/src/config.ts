import { datasetSettings } from "@firn/datasets";
import { defineSettings, guardSettings, lakeSettings, pipelineSettings } from "@firn/service";

export const querySettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  ...lakeSettings,
  ...datasetSettings,
  ...guardSettings,
  shards: pipelineSettings.shards,
  streamReplicas: pipelineSettings.streamReplicas,
  concurrency: {
    env: "FIRN_QUERY_CONCURRENCY",
    type: "int",
    default: 2,
    min: 1,
    max: 64,
    help: "Questions that read files at the same time, one thread each.",
  },
  waitingMax: {
    env: "FIRN_QUERY_WAITING",
    type: "int",
    default: 64,
    min: 0,
    max: 10_000,
    help: "Questions that may wait for their turn; one more gets 503.",
  },
  timeoutMs: {
    env: "FIRN_QUERY_TIMEOUT_MS",
    type: "int",
    default: 30_000,
    min: 100,
    max: 600_000,
    help: "Milliseconds that one question may take, waiting included.",
  },
  memoryBytes: { ...pipelineSettings.memoryBytes, default: 256 * 1024 ** 2 },
  cacheValuesMax: {
    env: "FIRN_QUERY_CACHE_VALUES",
    type: "int",
    default: 2_000_000,
    min: 0,
    max: 100_000_000,
    help: "Values (rows times columns) of answers that are kept for the same question on the same snapshot; 0: none.",
  },
  databaseUrl: {
    env: "DATABASE_URL",
    type: "url",
    secret: true,
    help: "PostgreSQL with the relations of the market lake; without it questions about securities and portfolios are 503.",
  },
  benchmark: {
    env: "FIRN_BENCHMARK_TICKER",
    type: "string",
    default: "SP500",
    help: "Ticker that portfolios are compared with where the question names none.",
  },
  growthSeries: {
    env: "FIRN_REGIME_GROWTH_SERIES",
    type: "string",
    default: "USALOLITOAASTSAM",
    help: "FRED id of the monthly series that stands for growth in regimes; the default is the OECD's leading indicator.",
  },
  recordBacktests: {
    env: "FIRN_RECORD_BACKTESTS",
    type: "string",
    default: "all",
    choices: ["all", "saved"],
    help: "Which backtests leave rows in tb_backtests and tb_signals: all, or only those that are saved as a portfolio.",
  },
});

export type QuerySettings = ReturnType<(typeof querySettings)["parse"]>;
