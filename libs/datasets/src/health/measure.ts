import { canonicalHealthType, findHealthType } from "./aliases.ts";
import { excerpt, wrongKind, type RecordProblems } from "../payload/record-problems.ts";
import type { HealthType } from "./quantity-types.ts";
import { normalizeUnit, type Conversion } from "./units.ts";

/** What was measured, in the unit of its type. */
export interface Measure {
  readonly type: string;
  readonly value: number;
  readonly unit: string;
}

/** Percentages up to this are more likely fractions. */
const FRACTION_MAX = 1;
const NONE: Measure = { type: "", value: 0, unit: "" };

/** Resolves type and unit (non-empty strings), converts the value and checks its range. */
export function readMeasure(
  typeName: string,
  rawValue: unknown,
  unitName: string,
  strict: boolean,
  problems: RecordProblems,
): Measure {
  const type = typeName === "" ? undefined : findHealthType(typeName);
  const value = readValue(rawValue, type, problems);
  if (typeName === "") return NONE;
  if (type === undefined) {
    if (strict) problems.add(`type ${excerpt(typeName)} is unknown: it must be a type that the health lake knows`);
    else problems.warn("unknown_type");
    return { type: canonicalHealthType(typeName), value, unit: unitName };
  }
  if (unitName === "") return NONE;
  const conversion = type.conversions.get(unitName) ?? type.conversions.get(normalizeUnit(unitName));
  if (conversion === undefined) {
    if (strict) {
      problems.add(`unit ${excerpt(unitName)} is unknown for ${type.name}: it must be ${type.unit} or convert to it`);
    } else problems.warn("unknown_unit");
    return { type: type.name, value, unit: unitName };
  }
  if (value !== value) return NONE;
  return { type: type.name, value: converted(value, type, conversion, problems), unit: type.unit };
}

/** A finite number, not negative unless the type may be; the sign of zero is dropped. */
function readValue(value: unknown, type: HealthType | undefined, problems: RecordProblems): number {
  if (typeof value !== "number") problems.add(wrongKind("value", value, "a finite number"));
  else if (!Number.isFinite(value)) problems.add("value is too large for a double: it must be a finite number");
  else if (value < 0 && !mayBeNegative(type)) problems.add(`value ${value} is negative: it must be at least 0`);
  else return value + 0;
  return Number.NaN;
}

/** Types that reach below zero, and temperatures, which other scales write below zero. */
function mayBeNegative(type: HealthType | undefined): boolean {
  return type !== undefined && (type.min < 0 || type.unit === "°C");
}

function converted(value: number, type: HealthType, conversion: Conversion, problems: RecordProblems): number {
  const result = conversion.identity ? value : ((value + conversion.add) * conversion.mul) / conversion.div;
  if (!Number.isFinite(result)) {
    problems.addConversion(
      `value ${value} ${conversion.from} has no finite value in ${type.unit}: it cannot be converted`,
    );
  } else if (result < type.min || result > type.max) {
    const shown = conversion.identity ? `${value}` : `${value} ${conversion.from} = ${result}`;
    const range = `${type.min}–${type.max} ${type.unit}`;
    problems.add(`value ${shown} ${type.unit} is out of range: ${type.name} must be within ${range}`);
  } else if (type.mayBeFraction && conversion.from === "%" && value <= FRACTION_MAX) {
    problems.warn("percent_looks_like_fraction");
  }
  return result;
}
