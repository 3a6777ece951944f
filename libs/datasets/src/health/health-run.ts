import {
  zoneByName,
  type ErrorType,
  type PayloadInput,
  type TableDefinition,
  type ValidatedRun,
  type ValidationOptions,
  type ValidationRun,
} from "@firn/core";

import { faultText, type PayloadFaults } from "../payload/payload-faults.ts";
import { optionalInstant, optionalName, requiredText } from "../payload/read-fields.ts";
import { openPayload, type JsonObject } from "../payload/read-payload.ts";
import { RecordProblems, wrongKind } from "../payload/record-problems.ts";
import { DeadLetterOffice, storableText, type Refusal } from "../payload/refusals.ts";
import { checkHealthEnvelope } from "./envelope.ts";
import { readSample, type PayloadFields, type SampleRules } from "./read-sample.ts";
import { SampleColumns } from "./sample-columns.ts";

/** What is looked at while one payload is read. */
interface PayloadState {
  readonly input: PayloadInput;
  readonly fields: PayloadFields;
  readonly faults: PayloadFaults;
  /** What is wrong with the payload's own fields, and so with each of its samples. */
  readonly problem: string | undefined;
  readonly refusals: Refusal[];
}

/** Members of a payload that hold records. */
const MEMBERS = ["deleted", "samples"] as const;

/**
 * Decodes and validates payloads of the health lake one after the other.
 *
 * Within a payload deletions come before samples: what a phone still sends is there. A fault of the payload itself
 * (not JSON, wrong envelope, a key twice) refuses it as one record; a malformed field of its own refuses each sample.
 */
export class HealthRun implements ValidationRun {
  readonly #rules: SampleRules;
  readonly #processedAtUs: number;
  readonly #columns: SampleColumns;
  readonly #deadLetters: DeadLetterOffice;
  readonly #warnings = new Map<string, number>();
  readonly #problems = new RecordProblems();
  #received = 0;

  constructor(dataset: string, raw: TableDefinition, options: ValidationOptions, processedAtUs: number) {
    const defaultZone = zoneByName(options.defaultZone);
    if (defaultZone === undefined) throw new RangeError(`no time zone is called ${options.defaultZone}`);
    this.#rules = { strict: options.strict, defaultZone };
    this.#processedAtUs = processedAtUs;
    this.#columns = new SampleColumns(raw);
    this.#deadLetters = new DeadLetterOffice(dataset, processedAtUs);
  }

  finish(): ValidatedRun {
    const rejected = this.#deadLetters.letters;
    return { rows: this.#columns.rows, rejected, received: this.#received, warnings: this.#warnings };
  }

  add(input: PayloadInput): void {
    const opened = openPayload(input, MEMBERS, checkHealthEnvelope);
    const { payload } = opened;
    if (!opened.ok) return this.#refusePayload(input, payload, opened.errorType, opened.message);
    this.#addRecords(input, payload, opened.faults);
  }

  #refusePayload(input: PayloadInput, payload: JsonObject, errorType: ErrorType, message: string): void {
    this.#received++;
    const { userId, deviceId } = payload;
    const sender = { userId: storableText(userId), deviceId: storableText(deviceId) };
    this.#deadLetters.refusePayload(input, sender, errorType, message);
  }

  #addRecords(input: PayloadInput, payload: JsonObject, faults: PayloadFaults): void {
    const problems = this.#problems;
    problems.reset();
    const fields: PayloadFields = {
      deviceId: payload["deviceId"] as string,
      userId: payload["userId"] as string,
      appVersion: optionalName(payload["appVersion"], "appVersion", problems) ?? "",
      payloadTimestampUs: optionalInstant(payload["timestamp"], "timestamp", input.receivedAtUs, problems),
    };
    const problem = problems.some ? problems.message : undefined;
    const samples = payload["samples"] as readonly unknown[];
    if (samples.length === 0 && problem !== undefined) {
      this.#refusePayload(input, payload, "validation_error", problem);
    }
    const state: PayloadState = { input, fields, faults, problem, refusals: [] };
    this.#addDeleted(payload["deleted"] ?? [], state);
    for (let index = 0; index < samples.length; index++) this.#addSample(samples[index], index, state);
    if (state.refusals.length > 0) {
      this.#deadLetters.refuseRecords(input, fields, state.refusals);
    }
  }

  #addSample(sample: unknown, index: number, state: PayloadState): void {
    this.#received++;
    const problems = this.#problems;
    problems.reset();
    if (state.problem !== undefined) problems.add(state.problem);
    for (const fault of state.faults.records.get("samples")?.get(index) ?? []) problems.add(faultText(fault));
    const read = readSample(sample, state.fields, this.#rules, problems);
    if (read !== undefined) {
      this.#columns.addSample(read, state.fields, this.#processedAtUs);
      problems.countWarnings(this.#warnings);
      return;
    }
    const { id, type } = (sample ?? {}) as JsonObject;
    const { errorType, message } = problems;
    const [sampleId, dataType] = [storableText(id), storableText(type)];
    state.refusals.push({ member: "samples", index, errorType, message, sampleId, dataType });
  }

  #addDeleted(deleted: unknown, state: PayloadState): void {
    if (Array.isArray(deleted)) {
      for (let index = 0; index < deleted.length; index++) this.#addTombstone(deleted[index], index, state);
      return;
    }
    this.#received++;
    state.refusals.push({
      member: "deleted",
      errorType: "validation_error",
      message: wrongKind("deleted", deleted, "an array of sample ids where it is given"),
      sampleId: null,
      dataType: null,
    });
  }

  #addTombstone(deletedId: unknown, index: number, state: PayloadState): void {
    this.#received++;
    const problems = this.#problems;
    problems.reset();
    for (const fault of state.faults.records.get("deleted")?.get(index) ?? [])
      problems.add(faultText({ ...fault, path: "deleted" }));
    const id = requiredText(deletedId, "deleted", problems);
    if (!problems.some) return this.#columns.addTombstone(state.fields.userId, id);
    const { errorType, message } = problems;
    state.refusals.push({
      member: "deleted",
      index,
      errorType,
      message,
      sampleId: storableText(deletedId),
      dataType: null,
    });
  }
}
