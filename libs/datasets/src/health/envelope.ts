import { isWellFormedText, type EnvelopeCheck, type EnvelopeProblem } from "@firn/core";

import { NAME_LENGTH_MAX } from "../payload/read-fields.ts";

/** The envelope of health: an object with non-empty strings `deviceId` and `userId` and an array `samples`. */
export function checkHealthEnvelope(parsed: unknown): EnvelopeCheck {
  if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) {
    return refuse([problem("", "object", "the payload must be an object")]);
  }
  const payload = parsed as Record<string, unknown>;
  const problems: EnvelopeProblem[] = [];
  for (const field of ["deviceId", "userId"]) {
    const value = payload[field];
    if (value === undefined) problems.push(problem(field, "required", `${field} is missing`));
    else if (typeof value !== "string") problems.push(problem(field, "string", `${field} must be a string`));
    else if (value === "") problems.push(problem(field, "non-empty", `${field} must not be empty`));
    else if (value.length > NAME_LENGTH_MAX) {
      problems.push(problem(field, "length", `${field} must have at most ${NAME_LENGTH_MAX} characters`));
    } else if (!isWellFormedText(value)) {
      problems.push(problem(field, "well-formed", `${field} holds a lone surrogate, which no UTF-8 text can hold`));
    }
  }
  const samples = payload["samples"];
  if (samples === undefined) problems.push(problem("samples", "required", "samples is missing"));
  else if (!Array.isArray(samples)) problems.push(problem("samples", "array", "samples must be an array"));
  if (problems.length > 0) return refuse(problems);
  const deleted = payload["deleted"];
  const records = (samples as unknown[]).length + (Array.isArray(deleted) ? deleted.length : 0);
  return { ok: true, shardKey: payload["userId"] as string, records };
}

function refuse(problems: readonly EnvelopeProblem[]): EnvelopeCheck {
  return { ok: false, problems };
}

function problem(field: string, rule: string, message: string): EnvelopeProblem {
  return { field, rule, message };
}
