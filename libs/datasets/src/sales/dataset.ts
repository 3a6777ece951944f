import type { Dataset } from "@firn/core";

import { RecordRun, type RecordRules } from "../payload/record-run.ts";
import { NO_SENDER, storableText } from "../payload/refusals.ts";
import { SALES_CSV } from "./csv-shape.ts";
import { checkSalesEnvelope, SALES_PAYLOAD_SCHEMA } from "./envelope.ts";
import { SALES_PAYLOAD_AVRO } from "./payload-avro.ts";
import { salesQuestions } from "./questions/planners.ts";
import { readTransaction, type SalesFields } from "./read-transaction.ts";
import { salesRollups } from "./rollups.ts";
import { salesTables, type SalesTableOptions } from "./tables.ts";

/** The sales lake: transactions, and their summary by day and product. */
export function createSalesDataset(options: SalesTableOptions = {}): Dataset {
  const tables = salesTables(options);
  const rules: RecordRules<SalesFields> = {
    dataset: "sales",
    raw: tables.raw,
    member: "transactions",
    record: "transaction",
    checkEnvelope: checkSalesEnvelope,
    readFields: (payload) => ({ source: storableText(payload["source"]) }),
    readRecord: readTransaction,
    senderOf: (payload) => ({ ...NO_SENDER, deviceId: storableText(payload["source"]) }),
    nameOf: (record) => ({ sampleId: storableText(record["transaction_id"]), dataType: null }),
  };
  return {
    name: rules.dataset,
    namespace: tables.raw.namespace,
    payload: { records: rules.member, schema: SALES_PAYLOAD_SCHEMA, avro: SALES_PAYLOAD_AVRO, csv: SALES_CSV },
    raw: tables.raw,
    errors: tables.errors,
    rollups: salesRollups(tables),
    identity: ["transaction_id"],
    content: ["transaction_date", "product_id", "quantity", "unit_price", "amount", "store", "currency"],
    eventTime: "transaction_date",
    eventOrder: ["transaction_date", "transaction_id"],
    time: { localDate: "transaction_date" },
    questions: salesQuestions,
    checkEnvelope: checkSalesEnvelope,
    beginRun: (_options, processedAtUs) => new RecordRun(rules, processedAtUs),
  };
}
