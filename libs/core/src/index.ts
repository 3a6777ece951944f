export { shardOf, fnv1a32 } from "./shard.ts";
export { columnTypeOf, recordTablesOf, tablesOf } from "./dataset.ts";
export type {
  AvroSchema,
  ColumnDefinition,
  ColumnType,
  CsvColumn,
  CsvShape,
  Dataset,
  EnvelopeCheck,
  EnvelopeProblem,
  EventTimeColumns,
  JsonSchema,
  MeasureDefinition,
  MeasureFold,
  NeighbourColumn,
  PartitionFieldDefinition,
  PartitionTransform,
  PayloadEnvelope,
  PayloadInput,
  PayloadShape,
  PeriodColumns,
  RecordTable,
  RecordKeys,
  RecordKinds,
  RollupDefinition,
  TableDefinition,
  ValidatedRun,
  ValidationOptions,
  ValidationRun,
  ZoneColumns,
} from "./dataset.ts";
export {
  COLUMN_PREFIX,
  decodeColumnBatch,
  DICTIONARY_PREFIX,
  encodeColumnBatch,
  INDEX_PREFIX,
  OP_COLUMN,
  OP_RECORD,
  OP_TOMBSTONE,
  refuseNewerColumnBatch,
  sliceColumnRows,
} from "./column-batch.ts";
export type { ColumnBatch, ColumnRows, ColumnValue } from "./column-batch.ts";
export { columnValues, firstRows, sliceRows, tableOfRows } from "./answer-table.ts";
export type { AnswerTable } from "./answer-table.ts";
export type {
  AnswerDocument,
  AsyncPlanInput,
  ComputedAnswer,
  ComputedPlan,
  DatasetQuestion,
  MeasuredRows,
  PageKey,
  PageSql,
  Parameters,
  PlanInput,
  QuestionPlan,
  QuestionPlanner,
  Reach,
  Relations,
  RowCondition,
} from "./question-plan.ts";
export { QuestionRefusal } from "./question-refusal.ts";
export { orderBy, selectList, sqlName } from "./sql-text.ts";
export type {
  ParameterDefinition,
  ParameterKind,
  ParameterRule,
  ParametersInput,
  ParameterValue,
} from "./question-parameter.ts";
export { defineQuestion, documentSchema, LIMIT_MAX, questionKey, questionPath, TIME_TRAVEL } from "./question.ts";
export type {
  AnswerColumn,
  AnswerType,
  DocumentOf,
  DocumentSchema,
  ParametersOf,
  QuestionDefinition,
  QuestionKeyOf,
  RowOf,
} from "./question.ts";
export { shardPayload } from "./shard-payload.ts";
export type { PayloadPart } from "./shard-payload.ts";
export { decodeIntakeFrame, encodeIntakeFrame } from "./intake-frame.ts";
export type { IntakePayload, PayloadEncoding, PayloadOrigin, PayloadRefusal } from "./intake-frame.ts";
export { AvroError } from "./avro/avro-error.ts";
export { AVRO_DEFINITIONS } from "./avro/avro-schema.ts";
export { AvroPayloadReader } from "./avro/avro-payload.ts";
export { WIRE_HEADER_BYTES, WIRE_MAGIC, wireSchemaId } from "./avro/wire-format.ts";
export { PayloadDecoder } from "./payload-decoder.ts";
export type { DecodedPayload } from "./payload-decoder.ts";
export {
  decodeKafkaPosition,
  encodeKafkaPosition,
  KAFKA_SOURCES_KEY,
  KAFKA_STATUS_SUBJECT,
  kafkaPartitionName,
  kafkaPositionSubject,
} from "./kafka-source.ts";
export type { KafkaPosition, KafkaSources, KafkaStatus, KafkaTopicSource } from "./kafka-source.ts";
export {
  deadLetterId,
  decodeRejectedBatch,
  encodeRejectedBatch,
  makeDeadLetter,
  refuseNewerRejectedBatch,
} from "./dead-letter.ts";
export type { DeadLetter, DeadLetterInput, ErrorType, RejectedBatch } from "./dead-letter.ts";
export { NewerFormat, refuseNewer, versionOfJson } from "./newer-format.ts";
export { isWellFormedText } from "./well-formed.ts";
export {
  countProperty,
  identityProperty,
  parseCounts,
  parsePositions,
  pipelineIdProperty,
  positionEntry,
  positionProperty,
  receivedBeforeProperty,
  receivedProperty,
  sourceSnapshotEntry,
  sourceSnapshotProperty,
  sourceTableProperty,
  writerEpochProperty,
  foreignReceivedProperty,
  takenUpProperty,
  identitiesProperty,
  refuseNewerState,
  STATE_VERSION,
  stateVersionProperty,
  traceEntry,
} from "./pipeline-properties.ts";
export type { CountName, Counts } from "./pipeline-properties.ts";
export { parkedKey, resumeKey, tableKey } from "./pipeline-state.ts";
export type { KnownTable, ParkedState, ResumeOrder } from "./pipeline-state.ts";
export {
  acceptedSubject,
  acceptedTableSubject,
  committedHint,
  intakeSubject,
  rejectedSubject,
  rollupSubject,
  shardOfSubject,
  streams,
} from "./pipeline-subjects.ts";
export { otherEndsHeader, OTHERS_HEADER, parseOtherEnds } from "./other-ends.ts";
export { INPUT_IDENTITY_HEADER, INPUT_SEQUENCE_HEADER, RECORDS_HEADER } from "./position-headers.ts";
export { daysOf, findDayMeasure, type DayMeasure, type DayRollup } from "./day-measures.ts";
export { rollupLanes, type RollupLane } from "./rollup-lanes.ts";
export type {
  RebuildReport,
  RebuildValidation,
  RollupValidation,
  RoundReport,
  ValidatedTotal,
} from "./rebuild-report.ts";
export { decodeRollupRound, encodeRollupRound, stagedFiles } from "./rollup-round.ts";
export type { RollupChange, RollupRound, StagedRows } from "./rollup-round.ts";
export {
  civilFromDays,
  dayOfWeek,
  daysFromCivil,
  daysInMonth,
  firstOfMonth,
  formatDate,
  isoWeekOf,
  lastOfMonth,
  mondayOf,
  parseDate,
} from "./civil-date.ts";
export type { CivilDate } from "./civil-date.ts";
export { periodOf } from "./period.ts";
export type { Period } from "./period.ts";
export { explainInstant, formatInstantUs, OFFSET_MINUTES_MAX, parseInstantUs } from "./instant.ts";
export { eventZone } from "./event-zone.ts";
export type { EventZoneParts } from "./event-zone.ts";
export { explainZone, findZone, fixedZone, zoneByName } from "./time-zone.ts";
export type { Zone } from "./time-zone.ts";
export { localWindow } from "./local-window.ts";
export type { InstantWindow } from "./local-window.ts";
export { isBlank, skipBlanks } from "./json-byte.ts";
export { sliceArrayElements } from "./json-elements.ts";
export { jsonItems, jsonMembers } from "./json-slice.ts";
export type { JsonMember, JsonRange } from "./json-slice.ts";
export { findJsonFaults } from "./json-faults.ts";
export type { JsonFault } from "./json-faults.ts";
export { isPlainJson, textOfUtf8 } from "./json-plain.ts";
export { payloadOutline } from "./payload-outline.ts";
