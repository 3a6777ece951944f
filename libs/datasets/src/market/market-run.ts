import {
  OP_COLUMN,
  OP_RECORD,
  OP_TOMBSTONE,
  type ColumnRows,
  type ColumnValue,
  type EnvelopeCheck,
  type ErrorType,
  type PayloadInput,
  type RecordTable,
  type TableDefinition,
  type ValidatedRun,
  type ValidationRun,
} from "@firn/core";

import { faultText, type PayloadFaults } from "../payload/payload-faults.ts";
import { openPayload, type JsonObject } from "../payload/read-payload.ts";
import { RecordProblems } from "../payload/record-problems.ts";
import { DeadLetterOffice, NO_SENDER, type Refusal } from "../payload/refusals.ts";
import { RowReader } from "./row-reader.ts";

/** Members of a payload that hold records: deletions come first, what is sent again in the same payload is there. */
const MEMBERS = ["deleted", "rows"] as const;

export interface MarketRules {
  readonly dataset: string;
  /** Every table of records, raw first. */
  readonly tables: readonly RecordTable[];
  checkEnvelope(parsed: unknown): EnvelopeCheck;
}

/** The rows of one table in a run. */
class TableRows {
  readonly #columns: Record<string, ColumnValue[]>;
  readonly #names: readonly string[];
  #rows = 0;

  constructor({ columns }: TableDefinition) {
    this.#names = columns.map(({ name }) => name);
    this.#columns = Object.fromEntries([OP_COLUMN, ...this.#names].map((name) => [name, []]));
  }

  get rows(): ColumnRows {
    return { rows: this.#rows, columns: this.#columns };
  }

  add(op: number, values: ReadonlyMap<string, ColumnValue>): void {
    this.#columns[OP_COLUMN]!.push(op);
    for (const name of this.#names) this.#columns[name]!.push(values.get(name) ?? null);
    this.#rows++;
  }
}

/** Decodes and validates payloads of the market lake one after the other, each of rows of one table. */
export class MarketRun implements ValidationRun {
  readonly #rules: MarketRules;
  readonly #processedAtUs: number;
  readonly #rows: ReadonlyMap<string, TableRows>;
  readonly #readers = new Map<string, RowReader>();
  readonly #deadLetters: DeadLetterOffice;
  readonly #problems = new RecordProblems();
  #received = 0;

  constructor(rules: MarketRules, processedAtUs: number) {
    this.#rules = rules;
    this.#processedAtUs = processedAtUs;
    this.#rows = new Map(rules.tables.map(({ definition }) => [definition.name, new TableRows(definition)]));
    this.#deadLetters = new DeadLetterOffice(rules.dataset, processedAtUs);
  }

  finish(): ValidatedRun {
    const [raw, ...others] = [...this.#rows].map(([name, table]) => [name, table.rows] as const);
    return {
      rows: raw![1],
      others: new Map(others.filter(([, rows]) => rows.rows > 0)),
      rejected: this.#deadLetters.letters,
      received: this.#received,
      warnings: new Map(),
    };
  }

  add(input: PayloadInput): void {
    const opened = openPayload(input, MEMBERS, this.#rules.checkEnvelope);
    if (!opened.ok) return this.#refusePayload(input, opened.errorType, opened.message);
    this.#addRecords(input, opened.payload, opened.faults);
  }

  #addRecords(input: PayloadInput, payload: JsonObject, faults: PayloadFaults): void {
    const name = payload["table"] as string;
    const reader = this.#readerOf(name);
    const into = this.#rows.get(name)!;
    const problems = this.#problems;
    const refusals: Refusal[] = [];
    for (const member of MEMBERS) {
      const records = (payload[member] ?? []) as readonly unknown[];
      for (const [index, record] of records.entries()) {
        this.#received++;
        problems.reset();
        for (const fault of faults.records.get(member)?.get(index) ?? []) problems.add(faultText(fault));
        const isRow = member === "rows";
        const values = isRow ? reader.read(record, this.#processedAtUs, problems) : reader.readKey(record, problems);
        if (!problems.some) {
          into.add(isRow ? OP_RECORD : OP_TOMBSTONE, values);
          continue;
        }
        const { errorType, message } = problems;
        refusals.push({ member, index, errorType, message, sampleId: reader.nameOf(record), dataType: name });
      }
    }
    if (refusals.length > 0) this.#deadLetters.refuseRecords(input, NO_SENDER, refusals);
  }

  #readerOf(table: string): RowReader {
    let reader = this.#readers.get(table);
    if (reader === undefined) {
      reader = new RowReader(this.#rules.tables.find(({ definition }) => definition.name === table)!);
      this.#readers.set(table, reader);
    }
    return reader;
  }

  #refusePayload(input: PayloadInput, errorType: ErrorType, message: string): void {
    this.#received++;
    this.#deadLetters.refusePayload(input, NO_SENDER, errorType, message);
  }
}
