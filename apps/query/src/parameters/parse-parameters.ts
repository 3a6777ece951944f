import type { ParameterDefinition, ParameterRule, Parameters, ParameterValue, QuestionDefinition } from "@firn/core";
import type { FieldError } from "@firn/service";
import type { z } from "zod";
import { parameterSchema, ruleOf } from "./parameter-schema.ts";

export type ParsedParameters =
  { readonly ok: true; readonly values: Parameters } | { readonly ok: false; readonly errors: readonly FieldError[] };

interface CompiledParameter {
  readonly definition: ParameterDefinition;
  readonly schema: z.ZodType<ParameterValue>;
}

export type ParameterParser = (input: Readonly<Record<string, unknown>>) => ParsedParameters;

/** Compiles the definition of a question into the function that checks what was asked. It names every error at once. */
export function parameterParser(question: Pick<QuestionDefinition, "parameters" | "rules">): ParameterParser {
  const compiled = new Map<string, CompiledParameter>(
    question.parameters.map((definition) => [definition.name, { definition, schema: parameterSchema(definition) }]),
  );
  return (input) => {
    const errors = unknownParameters(compiled, input);
    const values: Record<string, ParameterValue> = {};
    for (const parameter of compiled.values()) readParameter(parameter, input, values, errors);
    for (const rule of question.rules) errors.push(...checkRule(rule, values, input));
    return errors.length > 0 ? { ok: false, errors } : { ok: true, values };
  };
}

function unknownParameters(
  known: ReadonlyMap<string, unknown>,
  input: Readonly<Record<string, unknown>>,
): FieldError[] {
  const names = [...known.keys()].join(", ");
  return Object.keys(input)
    .filter((name) => !known.has(name))
    .map((name) => ({ field: name, rule: "unknown", message: `there is no parameter ${name}; known are ${names}` }));
}

function readParameter(
  { definition, schema }: CompiledParameter,
  input: Readonly<Record<string, unknown>>,
  values: Record<string, ParameterValue>,
  errors: FieldError[],
): void {
  const { name } = definition;
  const given = Object.hasOwn(input, name) ? input[name] : undefined;
  if (given === undefined || given === null) {
    if (definition.required === true) errors.push({ field: name, rule: "required", message: `${name} is missing` });
    else if (definition.default !== undefined) values[name] = definition.default;
    return;
  }
  if (given instanceof RepeatedParameter) {
    errors.push({ field: name, rule: "once", message: `${name} is given ${given.times} times; give it once` });
    return;
  }
  const parsed = schema.safeParse(given);
  if (parsed.success) values[name] = parsed.data;
  else errors.push(...fieldErrors(name, parsed.error));
}

function fieldErrors(name: string, error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => ({ field: name, rule: ruleOf(issue), message: `${name} ${issue.message}` }));
}

function checkRule(rule: ParameterRule, values: Parameters, input: Readonly<Record<string, unknown>>): FieldError[] {
  switch (rule.kind) {
    case "ordered": {
      const { from, to } = rule;
      const [start, end] = [values[from], values[to]];
      if (start === undefined || end === undefined || start <= end) return [];
      return [{ field: to, rule: "ordered", message: `${to} is before ${from}` }];
    }
    case "exclusive": {
      const given = rule.groups
        .map((group) => group.filter((name) => input[name] !== undefined))
        .filter((g) => g.length);
      if (given.length < 2) return [];
      const [first, ...others] = given.map((group) => group[0]!);
      return others.map((name) => ({
        field: name,
        rule: "exclusive",
        message: `${name} cannot stand beside ${first}`,
      }));
    }
    case "only_with": {
      const value = values[rule.parameter];
      const other = values[rule.other];
      if (typeof value !== "string" || !rule.values.includes(value)) return [];
      if (typeof other === "string" && rule.otherIn.includes(other)) return [];
      const message = `${rule.parameter} ${value} goes only with ${rule.other} ${rule.otherIn.join(" or ")}`;
      return [{ field: rule.parameter, rule: "only_with", message }];
    }
  }
}

/** A parameter that a query string has more than once. */
export class RepeatedParameter {
  readonly times: number;
  constructor(times: number) {
    this.times = times;
  }
}
