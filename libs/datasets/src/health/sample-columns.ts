import {
  OP_COLUMN,
  OP_RECORD,
  OP_TOMBSTONE,
  type ColumnRows,
  type ColumnValue,
  type TableDefinition,
} from "@firn/core";

import type { HealthSample, PayloadFields } from "./read-sample.ts";

/** The rows of a run, column by column, in raw's columns and `_op`. */
export class SampleColumns {
  readonly #columns: Readonly<Record<string, ColumnValue[]>>;
  readonly #names: readonly string[];
  #rows = 0;

  constructor(raw: TableDefinition) {
    this.#names = [OP_COLUMN, ...raw.columns.map((column) => column.name)];
    this.#columns = Object.fromEntries(this.#names.map((name) => [name, []]));
  }

  get rows(): ColumnRows {
    return { rows: this.#rows, columns: this.#columns };
  }

  addSample(sample: HealthSample, payload: PayloadFields, processedAtUs: number): void {
    const to = this.#columns as Record<keyof HealthSample | "_op" | PayloadColumn, ColumnValue[]>;
    to._op.push(OP_RECORD);
    to.device_id.push(payload.deviceId);
    to.user_id.push(payload.userId);
    to.sample_id.push(sample.sample_id);
    to.data_type.push(sample.data_type);
    to.value.push(sample.value);
    to.unit.push(sample.unit);
    to.start_date.push(sample.start_date);
    to.end_date.push(sample.end_date);
    to.source_bundle.push(sample.source_bundle);
    to.metadata.push(sample.metadata);
    to.is_synced.push(sample.is_synced);
    to.created_at.push(sample.created_at);
    to.payload_timestamp.push(payload.payloadTimestampUs);
    to.app_version.push(payload.appVersion);
    to.processing_time.push(processedAtUs);
    to.timezone.push(sample.timezone);
    to.timezone_offset.push(sample.timezone_offset);
    to.local_date.push(sample.local_date);
    this.#rows++;
  }

  addTombstone(userId: string, sampleId: string): void {
    for (const name of this.#names) this.#columns[name]!.push(null);
    this.#columns[OP_COLUMN]![this.#rows] = OP_TOMBSTONE;
    this.#columns["user_id"]![this.#rows] = userId;
    this.#columns["sample_id"]![this.#rows] = sampleId;
    this.#rows++;
  }
}

type PayloadColumn = "device_id" | "user_id" | "payload_timestamp" | "app_version" | "processing_time";
