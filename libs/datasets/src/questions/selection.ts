import type { Parameters, PlanInput, RowCondition } from "@firn/core";

/** Pieces that several questions are planned from. */

type Value = string | number | bigint;

/** The kinds of record asked for, by their canonical names; undefined when the question does not say. */
export function askedKinds({ dataset: { kinds }, parameters }: PlanInput): string[] | undefined {
  const asked = kinds && (parameters[kinds.column] as readonly string[] | undefined);
  return asked && [...new Set(asked.map((name) => kinds.canonical(name)))];
}

/** `column = value` for one value, `column IN (…)` for several, nothing for none asked. */
export function oneOf(column: string, values: readonly Value[] | undefined): RowCondition[] {
  if (values === undefined) return [];
  return values.length === 1 ? [{ op: "eq", column, value: values[0]! }] : [{ op: "in", column, values }];
}

/** Whose and which records: the conditions on the dimensions of the dataset's rollups that the question names. */
export function ofDimensions(input: PlanInput): RowCondition[] {
  const { dataset, parameters } = input;
  const dimensions = [...new Set(dataset.rollups.flatMap((rollup) => rollup.dimensions))];
  return dimensions.flatMap((name) => {
    if (name === dataset.kinds?.column) return oneOf(name, askedKinds(input));
    const asked = parameters[name] as Value | readonly Value[] | undefined;
    if (asked === undefined) return [];
    return oneOf(name, [...new Set(Array.isArray(asked) ? (asked as readonly Value[]) : [asked as Value])]);
  });
}

/** `start_date` and `end_date` on a column of dates, both inclusive. */
export function inDates(column: string, parameters: Parameters): RowCondition[] {
  const start = parameters["start_date"] as string | undefined;
  const end = parameters["end_date"] as string | undefined;
  return [
    ...(start === undefined ? [] : [{ op: "gte", column, value: start } as const]),
    ...(end === undefined ? [] : [{ op: "lte", column, value: end } as const]),
  ];
}

/** `start_time` and `end_time` on a column of instants: start inclusive, end exclusive. */
export function inTimes(column: string, parameters: Parameters): RowCondition[] {
  const start = parameters["start_time"] as number | bigint | undefined;
  const end = parameters["end_time"] as number | bigint | undefined;
  return [
    ...(start === undefined ? [] : [{ op: "gte", column, value: start } as const]),
    ...(end === undefined ? [] : [{ op: "lt", column, value: end } as const]),
  ];
}
