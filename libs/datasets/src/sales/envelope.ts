import { isWellFormedText, type EnvelopeCheck, type EnvelopeProblem, type JsonSchema } from "@firn/core";

import { NAME_LENGTH_MAX } from "../payload/read-fields.ts";

/** The envelope of sales: an object with an array `transactions`, and maybe a text `source`. */
export function checkSalesEnvelope(parsed: unknown): EnvelopeCheck {
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed))
    return { ok: false, problems: [problem("", "object", "the payload must be an object")] };
  const { source, transactions } = parsed as Record<string, unknown>;
  const problems = sourceProblems(source);
  if (transactions === undefined) problems.push(problem("transactions", "required", "transactions is missing"));
  else if (!Array.isArray(transactions))
    problems.push(problem("transactions", "array", "transactions must be an array"));
  if (problems.length > 0) return { ok: false, problems };
  const keys = (transactions as readonly unknown[]).map(keyOf);
  return {
    ok: true,
    shardKey: keys[0] ?? "",
    records: keys.length,
    byRecord: { member: "transactions", keys },
  };
}

/** A transaction's shard; one without an id becomes a dead letter wherever it goes. */
function keyOf(transaction: unknown): string {
  const id = (transaction as { transaction_id?: unknown } | null)?.transaction_id;
  return typeof id === "string" ? id : "";
}

function sourceProblems(source: unknown): EnvelopeProblem[] {
  if (source === undefined || source === null) return [];
  if (typeof source !== "string") return [problem("source", "string", "source must be a string")];
  if (source.length > NAME_LENGTH_MAX)
    return [problem("source", "length", `source must have at most ${NAME_LENGTH_MAX} characters`)];
  if (!isWellFormedText(source))
    return [problem("source", "well-formed", "source holds a lone surrogate, which no UTF-8 text can hold")];
  return [];
}

function problem(field: string, rule: string, message: string): EnvelopeProblem {
  return { field, rule, message };
}

export const SALES_PAYLOAD_SCHEMA: JsonSchema = {
  type: "object",
  required: ["transactions"],
  properties: {
    source: { type: "string", description: "What sends: a till, a shop, a file." },
    transactions: {
      type: "array",
      items: {
        type: "object",
        description: "Not checked here: a transaction that breaks a rule ends in the errors table.",
        properties: {
          transaction_id: { type: "string", description: "The same id again is a duplicate, or a correction." },
          transaction_date: { type: "string", format: "date" },
          product_id: { type: ["integer", "string"], description: "A text of digits beyond 2^53." },
          quantity: { type: "integer", description: "Not 0; below zero for a refund." },
          unit_price: { type: "number" },
          amount: { type: "number" },
          store: { type: "string" },
          currency: { type: "string", examples: ["EUR"] },
        },
      },
    },
  },
};
