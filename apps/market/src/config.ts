import { Cron } from "croner";
import { datasetSettings } from "@firn/datasets";
import { defineSettings, lakeSettings, pipelineSettings, tokenSettings } from "@firn/service";

export const marketSettings = defineSettings({
  natsUrl: pipelineSettings.natsUrl,
  ...lakeSettings,
  ...datasetSettings,
  streamReplicas: pipelineSettings.streamReplicas,
  memoryBytes: pipelineSettings.memoryBytes,
  databaseUrl: {
    env: "DATABASE_URL",
    type: "url",
    required: true,
    secret: true,
    help: "PostgreSQL with the relations of the market lake; without it questions about securities and portfolios are 503.",
  },
  ingestUrl: { env: "FIRN_INGEST_URL", type: "url", required: true, help: "Address of ingest." },
  queryUrl: { env: "FIRN_QUERY_URL", type: "url", required: true, help: "Address of query." },
  ...tokenSettings,
  schedule: {
    env: "FIRN_MARKET_SCHEDULE",
    type: "string",
    default: "on",
    choices: ["on", "off"],
    help: "Whether jobs fetch prices and macro series by the clock; off: only firn ingest does.",
  },
  usSchedule: schedule("FIRN_US_PRICE_SCHEDULE", "0 9 * * TUE-SAT", "When, UTC."),
  krSchedule: schedule("FIRN_KR_PRICE_SCHEDULE", "0 21 * * MON-FRI", "When, UTC."),
  macroSchedule: schedule("FIRN_MACRO_SCHEDULE", "0 23 * * SUN-FRI", "When, UTC."),
  qualitySchedule: schedule(
    "FIRN_QUALITY_SCHEDULE",
    "30 23 * * *",
    "When the quality of the market's data is checked, UTC.",
  ),
  yahooBaseUrl: { env: "YAHOO_BASE_URL", type: "url", help: "Yahoo's chart API, where it is not the usual one." },
  fredBaseUrl: { env: "FRED_BASE_URL", type: "url", help: "The FRED API, where it is not the usual one." },
  fredApiKey: {
    env: "FRED_API_KEY",
    type: "string",
    secret: true,
    help: "Key for the FRED API; without it macro fails.",
  },
  requestsPerSecond: {
    env: "FIRN_SOURCE_REQUESTS_PER_SECOND",
    type: "int",
    default: 5,
    min: 1,
    max: 100,
    help: "Requests a second to each source.",
  },
});

export type MarketSettings = ReturnType<(typeof marketSettings)["parse"]>;

function schedule(env: string, usual: string, help: string) {
  return { env, type: "string", default: usual, help, check: explainSchedule } as const;
}

/** The rule that a pattern breaks. */
function explainSchedule(pattern: string): string | undefined {
  try {
    new Cron(pattern, { paused: true });
    return undefined;
  } catch {
    return "must be a cron pattern: minute, hour, day, month and weekday, a second before them where wanted";
  }
}
