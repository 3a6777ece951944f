export { type CommonSettings } from "./common-settings.ts";
export { createHealth, type Health, type HealthCheck, type HealthReport } from "./health.ts";
export { guardRequests, guardSettings, openGuard, tokenSettings, type GuardOptions } from "./guard.ts";
export { formatHelp } from "./help.ts";
export { kafkaAccessSettings, kafkaSecurity, type KafkaAccess } from "./kafka-access.ts";
export { createLakeMetrics } from "./lake-metrics.ts";
export { lakeOptionsOf } from "./lake-options.ts";
export { lakeAccessSettings, lakeSettings } from "./lake-settings.ts";
export { createLogger, silentLogger, type LogFields, type Logger } from "./logger.ts";
export { memberSettings } from "./member.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export { openApiModule, problemResponse, type OpenApiDocument } from "./openapi.ts";
export { Parking, type ParkedStore } from "./parking.ts";
export { pipelineSettings } from "./pipeline-settings.ts";
export { Problem, problemOf, PROBLEM_MEDIA_TYPE, type FieldError, type ProblemBody } from "./problem.ts";
export { repeatTurns, type TurnOptions } from "./repeat-turns.ts";
export { runService } from "./run-service.ts";
export { runTogether } from "./run-together.ts";
export type { ServiceContext, ServiceDefinition, ServiceParts, Stage } from "./service.ts";
export {
  ConfigError,
  defineSettings,
  type Environment,
  type Setting,
  type SettingProblem,
  type SettingsDefinition,
  type SettingType,
} from "./settings.ts";
export { startService, type RunningService } from "./start-service.ts";
export { s3SettingsOf, storeSettings, type StoreSettings } from "./store-settings.ts";
export { TokenFile, type TokenEntry, type TokenScope } from "./token-file.ts";
export { closedOnFailure, SharedWork, type Membership, type OpenedWork } from "./shared-work.ts";
export { HEALTH, LOGGER, METRICS } from "./tokens.ts";
export { handedOn, LINKS_MAX, noTracer, originsOf, type SpanOptions, type Tracer, type TraceSpan } from "./tracer.ts";
export { version } from "./version.ts";
export { untilPossible } from "./until-possible.ts";
