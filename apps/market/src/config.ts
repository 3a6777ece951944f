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
  usSchedule: { env: "FIRN_US_PRICE_SCHEDULE", type: "string", default: "0 9 * * TUE-SAT", help: "When, UTC." },
  krSchedule: { env: "FIRN_KR_PRICE_SCHEDULE", type: "string", default: "0 21 * * MON-FRI", help: "When, UTC." },
  macroSchedule: { env: "FIRN_MACRO_SCHEDULE", type: "string", default: "0 23 * * SUN-FRI", help: "When, UTC." },
  qualitySchedule: {
    env: "FIRN_QUALITY_SCHEDULE",
    type: "string",
    default: "30 23 * * *",
    help: "When the quality of the market's data is checked, UTC.",
  },
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
