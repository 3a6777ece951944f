import type { TableDefinition } from "@firn/core";
import type { Predicate } from "@firn/lake";
import type { PageKey, PlanInput, QuestionPlan } from "./question-plan.ts";
import { answerColumns, askedTypes, oneOf, orderBy, selectList, timeRange, whoAndWhat } from "./selection.ts";

/** `raw`: samples of a user by start_date, sample_id. */
export function planRaw(input: PlanInput): QuestionPlan {
  const { raw, eventTime } = input.dataset;
  const of = [...whoAndWhat(input), ...timeRange(eventTime, input.parameters)];
  return withUnits(input, listPlan(raw, { op: "and", of }, pageKey("asc", eventTime, "sample_id"), input));
}

/** `latest`: the newest samples of a user. */
export function planLatest(input: PlanInput): QuestionPlan {
  const { raw, eventTime } = input.dataset;
  const key = pageKey("desc", eventTime, "sample_id");
  const { key: _, ...plan } = listPlan(raw, { op: "and", of: whoAndWhat(input) }, key, input);
  return withUnits(input, plan);
}

/** `errors`: dead letters, newest first. */
export function planErrors(input: PlanInput): QuestionPlan {
  const { parameters } = input;
  const errorType = parameters["error_type"] as string | undefined;
  const user = parameters["user_id"] as string | undefined;
  const of = [
    ...oneOf("user_id", user === undefined ? undefined : [user]),
    ...oneOf("error_type", errorType === undefined ? undefined : [errorType]),
    ...timeRange("error_timestamp", parameters),
  ];
  return listPlan(input.dataset.errors, { op: "and", of }, pageKey("desc", "error_timestamp", "error_id"), input);
}

/** By time in the given direction; what happened at the same instant by its name, always ascending. */
function pageKey(direction: "asc" | "desc", time: string, name: string): PageKey {
  return {
    columns: [
      { name: time, direction },
      { name, direction: "asc" },
    ],
  };
}

function listPlan(table: TableDefinition, where: Predicate, key: PageKey, input: PlanInput): QuestionPlan {
  const columns = answerColumns(table);
  const [time] = key.columns;
  return {
    table,
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: input.parameters["limit"] as number,
    key,
    reach: { column: time!.name, direction: time!.direction, until: "limit" },
    sql: (relation, page) =>
      `SELECT ${selectList(columns)} FROM (${relation}) WHERE ${page.after} ORDER BY ${orderBy(key)} LIMIT ${page.limit}`,
  };
}

function withUnits(input: PlanInput, plan: QuestionPlan): QuestionPlan {
  const types = askedTypes(input);
  return types === undefined ? plan : { ...plan, unitsOf: types };
}
