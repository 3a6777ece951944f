import {
  columnTypeOf,
  defineQuestion,
  LIMIT_MAX,
  questionKey,
  type Dataset,
  type DatasetQuestion,
  type ParameterDefinition,
  type QuestionDefinition,
  type RollupDefinition,
} from "@firn/core";
import { columnsOf } from "./answer-columns.ts";
import { errorsQuestion } from "./errors.ts";
import { planPeriods } from "./periods.ts";
import { planErrors, planRaw } from "./records.ts";
import {
  cursor,
  dateRange,
  endTime,
  limit,
  localRange,
  ordered,
  orderedTime,
  startTime,
  wholeRange,
} from "./shared-parameters.ts";

/** What a dataset answers: the questions of its own, and those derived ones in whose place it has none of its own. */
export function questionsOf(dataset: Dataset): readonly DatasetQuestion[] {
  const own = dataset.questions ?? [];
  const taken = new Set(own.map(({ definition }) => questionKey(definition)));
  return [...own, ...derivedQuestions(dataset).filter(({ definition }) => !taken.has(questionKey(definition)))];
}

/**
 * The questions that every lake answers without a word of code: its records, its dead letters, and the rows of each
 * rollup, named by it. Which columns may be asked for are the dimensions of its rollups.
 */
function derivedQuestions(dataset: Dataset): readonly DatasetQuestion[] {
  return [
    ...dataset.rollups.map((rollup): DatasetQuestion => ({
      definition: rollupQuestion(dataset, rollup),
      plan: (input) => planPeriods(input, rollup.name),
    })),
    { definition: rawQuestion(dataset), plan: planRaw },
    { definition: errorsQuestion(dataset.name), plan: planErrors },
  ];
}

function rollupQuestion(dataset: Dataset, rollup: RollupDefinition): QuestionDefinition {
  const last = {
    name: "last",
    kind: "integer",
    min: 1,
    max: LIMIT_MAX,
    doc: `The latest N ${rollup.period}s that have data.`,
  } as const;
  const { startDate, endDate } = localRange;
  return defineQuestion({
    dataset: dataset.name,
    name: rollup.name,
    summary: `Rows of ${rollup.table.name}`,
    doc: `One row a ${rollup.period} and ${rollup.dimensions.join(", ")}: every ${rollup.period} that overlaps the range.`,
    parameters: [...dimensionParameters(dataset), startDate, endDate, last, wholeRange, cursor],
    rules: [ordered, { kind: "exclusive", groups: [["start_date", "end_date"], ["last"]] }],
    columns: columnsOf(rollup.table),
    order: [rollup.periodColumns.start, ...rollup.dimensions].join(", "),
  });
}

function rawQuestion(dataset: Dataset): QuestionDefinition {
  const isDate = columnTypeOf(dataset.raw, dataset.eventTime) === "date";
  const { startDate, endDate } = dateRange("First date, inclusive.", "Last date, inclusive.", [
    "2026-01-01",
    "2026-01-31",
  ]);
  const range = isDate ? [startDate, endDate] : [startTime, endTime];
  return defineQuestion({
    dataset: dataset.name,
    name: "raw",
    summary: `Rows of ${dataset.raw.name}`,
    doc: `Records whose ${dataset.eventTime} lies in the range.`,
    parameters: [...dimensionParameters(dataset), ...range, limit, cursor],
    rules: [isDate ? ordered : orderedTime],
    columns: columnsOf(dataset.raw),
    order: dataset.eventOrder.join(", "),
  });
}

const ITEMS_MAX = 1000;

function dimensionParameters({ raw, rollups }: Dataset): ParameterDefinition[] {
  const dimensions = new Set(rollups.flatMap((rollup) => rollup.dimensions));
  return [...dimensions].flatMap((name): ParameterDefinition[] => {
    const doc = `One or several values of ${name}, separated by commas; all without it.`;
    switch (columnTypeOf(raw, name)) {
      case "string":
        return [{ name, kind: "texts", itemsMax: ITEMS_MAX, doc }];
      case "int":
      case "long":
        return [{ name, kind: "longs", itemsMax: ITEMS_MAX, doc }];
      default:
        return [];
    }
  });
}
