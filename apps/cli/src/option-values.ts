import { parseDate } from "@firn/core";
import { InvalidArgumentError } from "commander";

/** Parsers of option values for commander; a wrong value names the rule. */

export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidArgumentError("must be a number of seconds");
}

export function wholeNumber(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number from 1 to ${max}`);
  };
}

export function date(text: string): string {
  if (parseDate(text) !== undefined) return text;
  throw new InvalidArgumentError("must be a date, YYYY-MM-DD");
}

/** Names by comma. */
export function names(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);
}
