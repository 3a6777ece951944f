import { Problem, type FieldError } from "@firn/service";

/** 400 that names every wrong parameter. */
export function invalidParameters(errors: readonly FieldError[]): Problem {
  const detail = errors.map((error) => error.message).join("; ");
  return new Problem(400, "invalid_parameter", detail, { errors });
}
