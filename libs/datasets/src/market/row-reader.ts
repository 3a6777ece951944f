import {
  daysFromCivil,
  explainInstant,
  parseDate,
  parseInstantUs,
  type ColumnDefinition,
  type ColumnValue,
  type RecordTable,
} from "@firn/core";

import { excerpt, wrongKind, type RecordProblems } from "../payload/record-problems.ts";

/** Reads one field; adds a problem and returns null where it breaks a rule. */
type FieldReader = (value: unknown, field: string, problems: RecordProblems) => ColumnValue;

const INT_MAX = 2 ** 31 - 1;
const TEXT_LENGTH_MAX = 16_384;
const YEAR_MIN = 1900;
const YEAR_MAX = 2199;

/** Rules of single columns beyond their type, by name: the market's tables use a name for one thing. */
const RULES: Readonly<Record<string, { readonly holds: (value: number | string) => boolean; readonly rule: string }>> =
  {
    ...ofAll(["meta_id", "port_id", "macro_id"], { holds: (id) => Number(id) >= 1, rule: "at least 1" }),
    ...ofAll(["close", "adj_close", "rate"], { holds: (price) => Number(price) > 0, rule: "greater than 0" }),
    ...ofAll(["volume", "findings", "cost_bps"], { holds: (count) => Number(count) >= 0, rule: "at least 0" }),
    iso_code: { holds: (code) => code === "US" || code === "KR", rule: "US or KR" },
  };

function ofAll<T>(names: readonly string[], rule: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}

/** Column that the validator fills in where the sender gives none. */
const UPDATED_AT = "updated_at";

/** Reads the rows of one table: every column by its type, and no field that is none. */
export class RowReader {
  readonly #fields: readonly { readonly column: ColumnDefinition; readonly read: FieldReader }[];
  readonly #identity: readonly string[];
  readonly #names: ReadonlySet<string>;
  readonly #derived: string | undefined;

  constructor({ definition, derived }: RecordTable) {
    this.#derived = derived?.column;
    this.#identity = definition.identity;
    this.#fields = definition.columns
      .filter(({ name }) => name !== this.#derived)
      .map((column) => ({ column, read: readerOf(column) }));
    this.#names = new Set(this.#fields.map(({ column }) => column.name));
  }

  /** The row's columns; what is returned is stored only when `problems` stayed empty. */
  read(row: unknown, processedAtUs: number, problems: RecordProblems): Map<string, ColumnValue> {
    const values = new Map<string, ColumnValue>();
    const fields = this.#object(row, "row", problems, this.#names);
    if (fields === undefined) return values;
    for (const { column, read } of this.#fields) {
      const value = fields[column.name];
      if (value !== undefined && value !== null) values.set(column.name, read(value, column.name, problems));
      else if (column.required) problems.add(wrongKind(column.name, value, kindOfColumn(column)));
      else if (column.name === UPDATED_AT) values.set(column.name, processedAtUs);
    }
    return values;
  }

  /** The identity of a row that is to go. */
  readKey(row: unknown, problems: RecordProblems): Map<string, ColumnValue> {
    const key = new Map<string, ColumnValue>();
    const fields = this.#object(row, "deleted", problems, new Set(this.#identity));
    if (fields === undefined) return key;
    for (const { column, read } of this.#fields) {
      if (!this.#identity.includes(column.name)) continue;
      const value = fields[column.name];
      if (value === undefined || value === null) problems.add(wrongKind(column.name, value, kindOfColumn(column)));
      else key.set(column.name, read(value, column.name, problems));
    }
    return key;
  }

  /** What a dead letter calls the row, as far as it can be read. */
  nameOf(row: unknown): string | null {
    if (row === null || typeof row !== "object" || Array.isArray(row)) return null;
    const fields = row as Readonly<Record<string, unknown>>;
    return this.#identity.map((name) => excerpt(fields[name] ?? null)).join(" ");
  }

  #object(
    row: unknown,
    field: string,
    problems: RecordProblems,
    known: ReadonlySet<string>,
  ): Readonly<Record<string, unknown>> | undefined {
    if (row === null || typeof row !== "object" || Array.isArray(row)) {
      problems.add(wrongKind(field, row, "an object"));
      return undefined;
    }
    for (const name of Object.keys(row)) {
      if (known.has(name)) continue;
      const shown = excerpt(name).slice(1, -1);
      if (name === this.#derived) problems.add(`${shown} is given: it is computed from the rows and must be left out`);
      else problems.add(`${shown} is no field of the table: it must be one of ${[...known].join(", ")}`);
    }
    return row as Readonly<Record<string, unknown>>;
  }
}

function readerOf(column: ColumnDefinition): FieldReader {
  const read = typeReaderOf(column);
  const further = RULES[column.name];
  if (further === undefined) return read;
  return (value, field, problems) => {
    const found = read(value, field, problems);
    if ((typeof found === "number" || typeof found === "string") && !further.holds(found)) {
      problems.add(`${field} is ${excerpt(value)}: it must be ${further.rule}`);
    }
    return found;
  };
}

function kindOfColumn({ type }: ColumnDefinition): string {
  switch (type) {
    case "int":
      return "a whole number of 32 bits";
    case "long":
      return "a whole number within ±2^53";
    case "float":
    case "double":
      return "a finite number";
    case "boolean":
      return "true or false";
    case "date":
      return `a date YYYY-MM-DD between ${YEAR_MIN} and ${YEAR_MAX}`;
    case "timestamptz":
      return "a string with an ISO 8601 instant";
    case "string":
      return "a non-empty string";
    case "map<string,string>":
      return "an object of strings";
  }
}

function typeReaderOf(column: ColumnDefinition): FieldReader {
  const rule = kindOfColumn(column);
  const wrong = (value: unknown, field: string, problems: RecordProblems): null => {
    problems.add(wrongKind(field, value, rule));
    return null;
  };
  switch (column.type) {
    case "int":
      return (value, field, problems) =>
        Number.isInteger(value) && Math.abs(value as number) <= INT_MAX
          ? (value as number)
          : wrong(value, field, problems);
    case "long":
      return (value, field, problems) =>
        Number.isSafeInteger(value) ? (value as number) : wrong(value, field, problems);
    case "float":
    case "double":
      return (value, field, problems) => (Number.isFinite(value) ? (value as number) : wrong(value, field, problems));
    case "boolean":
      return (value, field, problems) => (typeof value === "boolean" ? value : wrong(value, field, problems));
    case "date":
      return (value, field, problems) => dayOf(value) ?? wrong(value, field, problems);
    case "timestamptz":
      return readInstant;
    case "string":
      return (value, field, problems) =>
        typeof value === "string" && value !== "" && value.length <= TEXT_LENGTH_MAX
          ? value
          : wrong(value, field, problems);
    case "map<string,string>":
      throw new Error("tables of the market lake have no maps");
  }
}

function readInstant(value: unknown, field: string, problems: RecordProblems): ColumnValue {
  if (typeof value !== "string") {
    problems.add(wrongKind(field, value, "a string with an ISO 8601 instant"));
    return null;
  }
  const us = parseInstantUs(value);
  if (us === us) return us;
  problems.add(`${field} ${excerpt(value)} ${explainInstant(value)}`);
  return null;
}

const DAY_MIN = daysFromCivil(YEAR_MIN, 1, 1);
const DAY_MAX = daysFromCivil(YEAR_MAX, 12, 31);

/** Days since 1970-01-01 of a date that there is, else undefined. */
function dayOf(value: unknown): number | undefined {
  const days = typeof value === "string" ? parseDate(value) : undefined;
  return days !== undefined && days >= DAY_MIN && days <= DAY_MAX ? days : undefined;
}
