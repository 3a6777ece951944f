export type {
  Answer,
  AnswerMeta,
  AnswerStats,
  DatasetCounts,
  ParkedStage,
  PipelineStatus,
  Problem,
  ProblemField,
  Receipt,
} from "./contract/answer.ts";
export type { ParameterDefinition, ParameterKind, ParameterRule } from "@firn/core";
export {
  LIMIT_MAX,
  TIME_TRAVEL,
  defineQuestion,
  questionKey,
  questionPath,
  type AnswerColumn,
  type AnswerType,
  type ParametersOf,
  type QuestionDefinition,
  type RowOf,
} from "@firn/core";
export { questionIndex, type PathMatch, type QuestionIndex } from "./contract/question-index.ts";
export { QUESTIONS } from "@firn/datasets";
export {
  findQuestion,
  questionOfSubject,
  type QuestionKey,
  type QuestionParameters,
  type QuestionReply,
  type QuestionRow,
  type RowsQuestionKey,
} from "./contract/registry.ts";
export { ClientError, type ClientErrorKind } from "./client-error.ts";
export { DEFAULT_RETRY, type RetryPolicy, type Setback } from "./retry.ts";
export type { HttpOptions } from "./http.ts";
export { ingestClient, type IngestClient, type IngestClientOptions, type SendOptions } from "./ingest-client.ts";
export {
  queryClient,
  type AskOptions,
  type FormattedAnswer,
  type QueryClient,
  type QuestionAsker,
  type TableFormat,
} from "./query-client.ts";
export { connectNatsClient, type NatsClientOptions, type NatsQueryClient } from "./nats-client.ts";
