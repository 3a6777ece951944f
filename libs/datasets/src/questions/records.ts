import {
  columnTypeOf,
  orderBy,
  selectList,
  type PageKey,
  type PlanInput,
  type QuestionPlan,
  type RowCondition,
  type TableDefinition,
} from "@firn/core";
import { columnsOf } from "./answer-columns.ts";
import { askedKinds, inDates, inTimes, ofDimensions, oneOf } from "./selection.ts";

/** `raw`: records in the order of their events. */
export function planRaw(input: PlanInput): QuestionPlan {
  const { dataset, parameters } = input;
  const { raw, eventTime } = dataset;
  const isDate = columnTypeOf(raw, eventTime) === "date";
  const range = isDate ? inDates(eventTime, parameters) : inTimes(eventTime, parameters);
  return listPlan(raw, [...ofDimensions(input), ...range], pageKey("asc", dataset.eventOrder), input);
}

/** `latest`: the newest records. */
export function planLatest(input: PlanInput): QuestionPlan {
  const { raw, eventOrder } = input.dataset;
  const { key: _, ...plan } = listPlan(raw, ofDimensions(input), pageKey("desc", eventOrder), input);
  return plan;
}

/** `errors`: dead letters, newest first. */
export function planErrors(input: PlanInput): QuestionPlan {
  const { parameters } = input;
  const errorType = parameters["error_type"] as string | undefined;
  const user = parameters["user_id"] as string | undefined;
  const where = [
    ...oneOf("user_id", user === undefined ? undefined : [user]),
    ...oneOf("error_type", errorType === undefined ? undefined : [errorType]),
    ...inTimes("error_timestamp", parameters),
  ];
  const { unitsOf: _, ...plan } = listPlan(input.dataset.errors, where, ERRORS_KEY, input);
  return plan;
}

/** By time in the given direction; what happened at the same time by the rest, always ascending. */
function pageKey(direction: "asc" | "desc", [time, ...names]: readonly string[]): PageKey {
  return { columns: [{ name: time!, direction }, ...names.map((name) => ({ name, direction: "asc" }) as const)] };
}

const ERRORS_KEY = pageKey("desc", ["error_timestamp", "error_id"]);

function listPlan(
  table: TableDefinition,
  where: readonly RowCondition[],
  key: PageKey,
  input: PlanInput,
): QuestionPlan {
  const columns = columnsOf(table);
  const [time] = key.columns;
  const kinds = askedKinds(input);
  return {
    table,
    where,
    reads: columns.map((column) => column.name),
    columns,
    limit: input.parameters["limit"] as number,
    key,
    ...(kinds === undefined ? {} : { unitsOf: kinds }),
    reach: { column: time!.name, direction: time!.direction, until: "limit" },
    sql: (relation, page) =>
      `SELECT ${selectList(columns)} FROM (${relation}) WHERE ${page.after} ORDER BY ${orderBy(key.columns)} LIMIT ${page.limit}`,
  };
}
