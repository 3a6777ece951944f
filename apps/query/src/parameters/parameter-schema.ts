import { isWellFormedText, type ParameterDefinition, type ParameterValue } from "@firn/core";
import { z } from "zod";
import { isDate, parseInstant, type Micros } from "./instant.ts";

/** The zod schema of one parameter, of the text that HTTP has or the JSON value that NATS has. */
export function parameterSchema(definition: ParameterDefinition): z.ZodType<ParameterValue> {
  switch (definition.kind) {
    case "text":
      return definition.max === undefined ? text : shortText(definition.max);
    case "cursor":
      return text;
    case "texts":
      return listOf(text, definition);
    case "integer":
      return integer(definition);
    case "number":
      return fraction(definition);
    case "integers":
      return listOf(integer(definition), definition);
    case "longs":
      return listOf(long, definition);
    case "choice":
      return z.enum(definition.choices ?? [], { error: `must be one of ${(definition.choices ?? []).join(", ")}` });
    case "date":
      return text.refine(isDate, ruled("date", "must be a calendar date, YYYY-MM-DD"));
    case "instant":
      return text
        .refine((value) => parseInstant(value) !== undefined, ruled("instant", INSTANT_RULE))
        .transform((value): Micros => parseInstant(value)!);
    case "snapshot_id":
      return z
        .union([text, z.int().nonnegative().transform(String)], { error: SNAPSHOT_RULE })
        .refine((value) => /^\d{1,19}$/.test(value), ruled("snapshot_id", SNAPSHOT_RULE))
        .transform((value) => BigInt(value));
  }
}

const INSTANT_RULE = "must be an instant such as 2026-01-31T12:00:00Z (ISO 8601 with Z or an offset)";
const SNAPSHOT_RULE = "must be the whole number that names a snapshot";

const ruled = (rule: string, message: string) => ({ error: message, params: { rule } });

const text = z
  .string({ error: "must be text" })
  .min(1, { error: "must not be empty" })
  .refine(isWellFormedText, ruled("unicode", "must not hold a lone surrogate"));

const LONG_RULE = "must be a whole number of 64 bits";

const long = z
  .union([z.int().transform(String), z.string().regex(/^-?\d{1,19}$/)], { error: LONG_RULE })
  .transform((value) => BigInt(value))
  .refine((value) => BigInt.asIntN(64, value) === value, { error: LONG_RULE });

const shortText = (charsMax: number) =>
  z
    .string({ error: "must be text" })
    .max(charsMax, { error: `must have at most ${charsMax} characters` })
    .pipe(text);

function integer({ min, max }: ParameterDefinition): z.ZodType<number> {
  const written = z
    .string()
    .regex(/^-?\d{1,15}$/, { error: "must be a whole number" })
    .transform(Number);
  return z.union([z.number(), written], { error: "must be a whole number" }).pipe(
    z
      .int({ error: "must be a whole number" })
      .min(min ?? -Infinity, { error: `must be at least ${min}` })
      .max(max ?? Infinity, { error: `must be at most ${max}` }),
  );
}

function fraction({ min, max }: ParameterDefinition): z.ZodType<number> {
  const written = z
    .string()
    .regex(/^-?\d{1,15}(\.\d{1,15})?$/, { error: "must be a number" })
    .transform(Number);
  return z.union([z.number(), written], { error: "must be a number" }).pipe(
    z
      .number({ error: "must be a number" })
      .min(min ?? -Infinity, { error: `must be at least ${min}` })
      .max(max ?? Infinity, { error: `must be at most ${max}` }),
  );
}

/** Items by comma, or a JSON array; what comes twice counts once. */
function listOf<T extends string | number | bigint>(
  item: z.ZodType<T>,
  { itemsMax }: ParameterDefinition,
): z.ZodType<T[]> {
  return z
    .preprocess(
      (value) =>
        typeof value === "string" && value !== "" ? value.split(",") : Array.isArray(value) ? value : [value],
      z
        .array(item)
        .min(1, { error: "must not be empty" })
        .max(itemsMax ?? 1000, { error: `must have at most ${itemsMax} items` }),
    )
    .transform((items) => [...new Set(items)]) as unknown as z.ZodType<T[]>;
}

/** A stable word for the rule that a zod issue is about. */
export function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "custom":
      return typeof issue.params?.["rule"] === "string" ? issue.params["rule"] : "invalid";
    case "too_small":
      return issue.origin === "string" || issue.origin === "array" ? "not_empty" : "min";
    case "too_big":
      return issue.origin === "array" ? "items_max" : "max";
    case "invalid_value":
      return "choice";
    case "invalid_union":
    case "invalid_type":
    case "invalid_format":
      return "type";
    default:
      return issue.code;
  }
}
