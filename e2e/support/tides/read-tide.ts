import { excerpt, type JsonObject, type RawRow, type RecordProblems, requiredInstant, wrongKind } from "@firn/datasets";

const DAY_US = 86_400_000_000;
const HEIGHT_CM_MAX = 3_000;

/** The rules of a reading: an instant, a height in whole centimetres within ±30 m, and a temperature. */
export function readTide(reading: JsonObject, gauge: string, problems: RecordProblems): RawRow {
  const { height, temperature } = reading;
  const atUs = requiredInstant(reading["at"], "at", problems);
  if (typeof height !== "number" || !Number.isInteger(height)) {
    problems.add(wrongKind("height", height, "whole centimetres"));
  } else if (Math.abs(height) > HEIGHT_CM_MAX) {
    problems.add(`height ${excerpt(height)} is out of range: it must be within ±${HEIGHT_CM_MAX} cm`);
  }
  if (typeof temperature !== "number") problems.add(wrongKind("temperature", temperature, "a number"));
  return {
    gauge,
    at: atUs,
    local_date: Math.floor(atUs / DAY_US),
    height_cm: height as number,
    water_temperature: temperature as number,
  };
}
