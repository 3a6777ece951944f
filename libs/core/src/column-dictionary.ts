import type { ColumnValue } from "./column-batch.ts";

/** Fewer rows are not worth a dictionary. */
const ROWS_MIN = 64;
/** Among any number of first rows a value has to stand for at least so many of them on average. */
const ROWS_PER_VALUE = 4;
/** Values that need not repeat at first: a part of the rows, at most so many. */
const FREE_ROWS_PER_VALUE = 16;
const FREE_VALUES_MAX = 256;

/** A column of few values: the distinct ones in order of appearance, and each row's place among them. */
export interface ColumnDictionary {
  readonly values: readonly ColumnValue[];
  readonly indexes: Uint32Array;
}

/**
 * The dictionary of a column; undefined where its values repeat too seldom, which is seen within its first rows.
 * Objects of strings with the same members may count as one value whatever their order: maps have none.
 */
export function findDictionary(column: readonly ColumnValue[]): ColumnDictionary | undefined {
  if (column.length < ROWS_MIN) return undefined;
  const indexes = new Uint32Array(column.length);
  const places = new Map<ColumnValue, number>();
  const values: ColumnValue[] = [];
  const free = Math.min(FREE_VALUES_MAX, column.length / FREE_ROWS_PER_VALUE);
  let before: ColumnValue | undefined;
  let place = 0;
  for (let row = 0; row < column.length; row++) {
    const value = column[row]!;
    // Of one payload many columns are alike.
    if (row === 0 || (value !== before && !haveSameMembers(value, before))) {
      before = value;
      const key = isObject(value) ? membersOf(value) : value;
      const known = places.get(key);
      place = known ?? values.length;
      if (known === undefined) {
        if (values.length >= free && values.length * ROWS_PER_VALUE > row) return undefined;
        places.set(key, place);
        values.push(value);
      }
    }
    indexes[row] = place;
  }
  return { values, indexes };
}

type Members = Readonly<Record<string, string>>;

function isObject(value: ColumnValue | undefined): value is Members {
  return typeof value === "object" && value !== null;
}

/** Whether two values are objects of the same members, in any order. */
function haveSameMembers(one: ColumnValue, other: ColumnValue | undefined): boolean {
  if (!isObject(one) || !isObject(other)) return false;
  let members = 0;
  for (const key in one) {
    if (one[key] !== other[key]) return false;
    members++;
  }
  for (const _ in other) members--;
  return members === 0;
}

/** A text that only objects with these members in this order have. The values of a column are of one kind: all are objects or null. */
function membersOf(value: Members): string {
  let text = "";
  for (const key in value) text += `${key.length}:${key}${value[key]!.length}:${value[key]}`;
  return text;
}
