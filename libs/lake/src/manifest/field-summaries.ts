import type { BoundSpec } from "../transform/bound-spec.ts";
import { compareLiterals } from "./compare-literals.ts";
import type { Partition } from "./data-file.ts";
import type { FieldSummary } from "./manifest-file.ts";
import { encodeSingleValue } from "./single-value.ts";
import type { Literal } from "../scan/predicate.ts";

/** Gathers what a manifest list says about the partitions of a manifest. */
export interface FieldSummaries {
  add(partition: Partition): void;
  finish(): FieldSummary[];
}

interface Gathered {
  containsNull: boolean;
  containsNan: boolean;
  lowest: Literal | undefined;
  highest: Literal | undefined;
}

/** Bounds of partition values are whole: only column bounds are cut. */
export function fieldSummaries(spec: BoundSpec): FieldSummaries {
  const gathered = spec.fields.map((): Gathered => ({
    containsNull: false,
    containsNan: false,
    lowest: undefined,
    highest: undefined,
  }));
  return {
    add(partition) {
      spec.fields.forEach((field, n) => addValue(gathered[n]!, partition[field.name] ?? null));
    },
    finish: () =>
      gathered.map(({ containsNull, containsNan, lowest, highest }, n) => {
        const type = spec.fields[n]!.resultType;
        return {
          containsNull,
          containsNan,
          ...(lowest === undefined ? {} : { lowerBound: encodeSingleValue(type, lowest) }),
          ...(highest === undefined ? {} : { upperBound: encodeSingleValue(type, highest) }),
        };
      }),
  };
}

function addValue(into: Gathered, value: Literal | null): void {
  if (value === null) into.containsNull = true;
  else if (typeof value === "number" && Number.isNaN(value)) into.containsNan = true;
  else {
    if (into.lowest === undefined || compareLiterals(value, into.lowest) < 0) into.lowest = value;
    if (into.highest === undefined || compareLiterals(value, into.highest) > 0) into.highest = value;
  }
}
