import { LakeError } from "../lake-error.ts";

/**
 * Checks of parsed JSON. Each takes the value and its path (`updates[0].snapshot.snapshot-id`) and returns the value
 * with its type, or throws LakeError `invalid` whose message begins with the path and whose context has it as `field`.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What is wrong with a body, with field and rule in the context. @param path of the value, `""`: the body itself */
export function shapeError(path: string, rule: string): LakeError {
  return new LakeError("invalid", `${path === "" ? "body" : path}: ${rule}`, { context: { field: path, rule } });
}

function present(value: unknown, path: string, rule: string): LakeError {
  return shapeError(path, value === undefined ? "is missing" : rule);
}

export function under(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** @throws LakeError `invalid` where it is no object */
export function objectAt(value: unknown, path: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw present(value, path, "must be an object");
  }
  return value as JsonObject;
}

/** @throws LakeError `invalid` where it is no array */
export function arrayAt(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw present(value, path, "must be an array");
  return value;
}

/** The array with each item checked by `item`. */
export function listAt<T>(value: unknown, path: string, item: (value: unknown, path: string) => T): T[] {
  return arrayAt(value, path).map((element, index) => item(element, under(path, index)));
}

/** @throws LakeError `invalid` where it is no text */
export function stringAt(value: unknown, path: string): string {
  if (typeof value !== "string") throw present(value, path, "must be a string");
  return value;
}

/** @throws LakeError `invalid` where it is no text or an empty one */
export function nonEmptyStringAt(value: unknown, path: string): string {
  const text = stringAt(value, path);
  if (text === "") throw shapeError(path, "must not be empty");
  return text;
}

export function integerAt(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw present(value, path, "must be an integer");
  return value;
}

/** A 64-bit id, which the JSON reader has made a bigint. */
export function idAt(value: unknown, path: string): bigint {
  if (typeof value !== "bigint") throw present(value, path, "must be a 64-bit integer");
  return value;
}

/** @throws LakeError `invalid` where it is neither true nor false */
export function booleanAt(value: unknown, path: string): boolean {
  if (typeof value !== "boolean") throw present(value, path, "must be true or false");
  return value;
}

/** An object whose values are all strings. */
export function stringMapAt(value: unknown, path: string): Readonly<Record<string, string>> {
  const object = objectAt(value, path);
  for (const key of Object.keys(object)) stringAt(object[key], under(path, key));
  return object as Readonly<Record<string, string>>;
}

export function oneOfAt<T extends string>(value: unknown, path: string, allowed: readonly T[]): T {
  const text = stringAt(value, path);
  if (!allowed.includes(text as T)) throw shapeError(path, `must be one of ${allowed.join(", ")}`);
  return text as T;
}

/** Absent and null are the same: several writers send null for what they leave out. */
export function optionalAt<T>(value: unknown, path: string, check: (value: unknown, path: string) => T): T | undefined {
  return value === undefined || value === null ? undefined : check(value, path);
}
