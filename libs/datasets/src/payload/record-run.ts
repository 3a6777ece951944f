import {
  OP_COLUMN,
  OP_RECORD,
  type ColumnValue,
  type EnvelopeCheck,
  type ErrorType,
  type PayloadInput,
  type TableDefinition,
  type ValidatedRun,
  type ValidationRun,
} from "@firn/core";

import { faultText } from "./payload-faults.ts";
import { openPayload, type JsonObject } from "./read-payload.ts";
import { RecordProblems, wrongKind } from "./record-problems.ts";
import { DeadLetterOffice, type Refusal, type Sender } from "./refusals.ts";

/** A row of raw by its columns; a column that is not named is null. */
export type RawRow = Readonly<Record<string, ColumnValue>>;

/** The rules of a dataset whose payload is an object with one array of records, which are objects. */
export interface RecordRules<Fields> {
  readonly dataset: string;
  readonly raw: TableDefinition;
  /** The payload's member that holds the records. */
  readonly member: string;
  /** What one record is called in messages. */
  readonly record: string;
  checkEnvelope(parsed: unknown): EnvelopeCheck;
  /** Reads the payload's own fields, which its records share; a problem refuses each of them. */
  readFields(payload: JsonObject, input: PayloadInput, problems: RecordProblems): Fields;
  /** Reads a record against every rule. What it returns is stored only when `problems` stayed empty. */
  readRecord(record: JsonObject, fields: Fields, problems: RecordProblems): RawRow | undefined;
  /** What dead letters say of a payload's sender. */
  senderOf(payload: JsonObject): Sender;
  /** What a dead letter says of the record, where that can be read. */
  nameOf(record: JsonObject): Pick<Refusal, "sampleId" | "dataType">;
}

/**
 * Decodes and validates payloads one after the other. A fault of the payload itself (not JSON, wrong envelope, a key
 * twice) refuses it as one record; everything else is judged record by record.
 */
export class RecordRun<Fields> implements ValidationRun {
  readonly #rules: RecordRules<Fields>;
  readonly #columns: Record<string, ColumnValue[]>;
  readonly #deadLetters: DeadLetterOffice;
  readonly #warnings = new Map<string, number>();
  readonly #problems = new RecordProblems();
  #rows = 0;
  #received = 0;

  constructor(rules: RecordRules<Fields>, processedAtUs: number) {
    this.#rules = rules;
    this.#columns = Object.fromEntries(
      [OP_COLUMN, ...rules.raw.columns.map(({ name }) => name)].map((name) => [name, []]),
    );
    this.#deadLetters = new DeadLetterOffice(rules.dataset, processedAtUs);
  }

  finish(): ValidatedRun {
    const rows = { rows: this.#rows, columns: this.#columns };
    return { rows, rejected: this.#deadLetters.letters, received: this.#received, warnings: this.#warnings };
  }

  add(input: PayloadInput): void {
    const { member, checkEnvelope } = this.#rules;
    const opened = openPayload(input, [member], checkEnvelope);
    const { payload } = opened;
    const sender = this.#rules.senderOf(payload);
    if (!opened.ok) return this.#refusePayload(input, sender, opened.errorType, opened.message);
    const { faults } = opened;
    const problems = this.#problems;
    problems.reset();
    const fields = this.#rules.readFields(payload, input, problems);
    const ofPayload = problems.some ? problems.message : undefined;
    const refusals: Refusal[] = [];
    for (const [index, record] of (payload[member] as readonly unknown[]).entries()) {
      this.#received++;
      problems.reset();
      if (ofPayload !== undefined) problems.add(ofPayload);
      for (const fault of faults.records.get(member)?.get(index) ?? []) problems.add(faultText(fault));
      const refusal = this.#addRecord(record, fields);
      if (refusal !== undefined) refusals.push({ member, index, ...refusal });
    }
    if (refusals.length > 0) this.#deadLetters.refuseRecords(input, sender, refusals);
  }

  /** Stores the record, or says why not. */
  #addRecord(record: unknown, fields: Fields): Omit<Refusal, "member" | "index"> | undefined {
    const problems = this.#problems;
    if (!isObject(record)) {
      problems.add(wrongKind(this.#rules.record, record, "an object"));
      return { errorType: problems.errorType, message: problems.message, sampleId: null, dataType: null };
    }
    const row = this.#rules.readRecord(record, fields, problems);
    if (row === undefined || problems.some)
      return { errorType: problems.errorType, message: problems.message, ...this.#rules.nameOf(record) };
    for (const name in this.#columns) this.#columns[name]!.push(name === OP_COLUMN ? OP_RECORD : (row[name] ?? null));
    this.#rows++;
    problems.countWarnings(this.#warnings);
    return undefined;
  }

  #refusePayload(input: PayloadInput, sender: Sender, errorType: ErrorType, message: string): void {
    this.#received++;
    this.#deadLetters.refusePayload(input, sender, errorType, message);
  }
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
