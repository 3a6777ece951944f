import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareLiterals } from "../manifest/compare-literals.ts";
import type { PrimitiveType, Schema } from "../metadata/schema.ts";
import {
  and,
  eq,
  gt,
  gte,
  isIn,
  isNull,
  lt,
  lte,
  notNull,
  or,
  type Literal,
  type Predicate,
} from "../scan/predicate.ts";
import { bindSpec } from "./bound-spec.ts";
import { ALWAYS, NEVER, projectPredicate } from "./projection.ts";
import { applyTransform } from "./transform.ts";
import { mayMatch } from "./value-range.ts";

function fieldsOf(type: PrimitiveType, ...transforms: string[]) {
  const schema: Schema = { type: "struct", "schema-id": 0, fields: [{ id: 1, name: "c", required: false, type }] };
  const fields = transforms.map((transform, n) => ({ "source-id": 1, "field-id": 1000 + n, name: `p${n}`, transform }));
  return bindSpec({ "spec-id": 0, fields }, [schema]).fields;
}

const DAY = 86_400_000_000;

describe("inclusive projection", () => {
  it.each<[string, PrimitiveType, string, Predicate, Predicate]>([
    ["identity keeps all", "string", "identity", gt("c", "x"), gt("p0", "x")],
    ["day of an instant", "timestamptz", "day", eq("c", 3 * DAY + 5), eq("p0", 3)],
    ["before midnight is the day before", "timestamptz", "day", lt("c", 3 * DAY), lte("p0", 2)],
    ["up to midnight", "timestamptz", "day", lte("c", 3 * DAY), lte("p0", 3)],
    ["after the last microsecond", "timestamptz", "day", gt("c", 3 * DAY - 1), gte("p0", 3)],
    ["from", "timestamptz", "day", gte("c", 3 * DAY - 1), gte("p0", 2)],
    ["before 1970 looks one further", "date", "month", lt("c", -40), lte("p0", -1)],
    ["before 1970, equality", "date", "month", eq("c", -1), isIn("p0", [-1, 0])],
    ["bucket of equality", "int", "bucket[16]", eq("c", 34), eq("p0", 2017239379 % 16)],
    ["bucket says nothing of order", "int", "bucket[16]", lt("c", 34), ALWAYS],
    ["bucket of a set, once each", "int", "bucket[1]", isIn("c", [1, 2, 3]), eq("p0", 0)],
    ["truncate of order", "string", "truncate[2]", lt("c", "abc"), lte("p0", "ab")],
    ["truncate of whole numbers", "int", "truncate[10]", lt("c", 10), lte("p0", 0)],
    ["null", "timestamptz", "day", isNull("c"), isNull("p0")],
    ["not null", "timestamptz", "day", notNull("c"), notNull("p0")],
    ["void says nothing", "int", "void", eq("c", 1), ALWAYS],
    ["unknown says nothing", "int", "zorder", eq("c", 1), ALWAYS],
    ["another column says nothing", "int", "identity", eq("d", 1), ALWAYS],
    ["an empty set", "int", "bucket[4]", isIn("c", []), NEVER],
    ["and drops what says nothing", "int", "identity", and(eq("c", 1), eq("d", 2)), eq("p0", 1)],
    ["or with an unknown is unknown", "int", "identity", or(eq("c", 1), eq("d", 2)), ALWAYS],
    ["or of known", "int", "identity", or(eq("c", 1), eq("c", 2)), or(eq("p0", 1), eq("p0", 2))],
  ])("%s", (_name, type, transform, where, projected) => {
    expect(projectPredicate(where, fieldsOf(type, transform))).toEqual(projected);
  });

  it("uses every field of the column", () => {
    expect(projectPredicate(eq("c", 5 * DAY), fieldsOf("timestamptz", "day", "month"))).toEqual(
      and(eq("p0", 5), eq("p1", 0)),
    );
  });

  const comparison = (value: fc.Arbitrary<Literal>): fc.Arbitrary<Predicate> =>
    fc.oneof(
      value.map((v) => eq("c", v)),
      value.map((v) => lt("c", v)),
      value.map((v) => lte("c", v)),
      value.map((v) => gt("c", v)),
      value.map((v) => gte("c", v)),
      fc.array(value, { maxLength: 4 }).map((vs) => isIn("c", vs)),
    );
  const matches = (where: Predicate, value: Literal): boolean =>
    mayMatch(where, () => ({ lower: value, upper: value, mayHaveNull: false, mayHaveValue: true }));

  it.each<[PrimitiveType, string[], fc.Arbitrary<Literal>]>([
    ["long", ["identity", "bucket[4]", "truncate[10]"], fc.integer({ min: -50, max: 50 })],
    ["string", ["identity", "bucket[4]", "truncate[2]"], fc.string({ unit: "grapheme", maxLength: 4 })],
    ["timestamptz", ["year", "month", "day", "hour", "bucket[4]"], fc.integer({ min: -400 * DAY, max: 400 * DAY })],
    ["date", ["year", "month", "day"], fc.integer({ min: -800, max: 800 })],
    ["decimal(9,2)", ["truncate[7]", "bucket[3]"], fc.bigInt({ min: -50n, max: 50n })],
  ])("never loses a matching %s", (type, transforms, value) => {
    const fields = fieldsOf(type, ...transforms);
    fc.assert(
      fc.property(comparison(value), value, (where, row) => {
        const projected = projectPredicate(where, fields);
        const partition = new Map(fields.map((f) => [f.name, applyTransform(f.transform, type, row)!]));
        const kept = mayMatch(projected, (name) => {
          const at = partition.get(name)!;
          return { lower: at, upper: at, mayHaveNull: false, mayHaveValue: true };
        });
        if (matches(where, row)) expect(kept).toBe(true);
      }),
    );
  });
});

describe("order of values", () => {
  it("orders strings as their UTF-8 bytes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (one, other) => {
        const bytes = Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)));
        expect(Math.sign(compareLiterals(one, other))).toBe(bytes);
      }),
    );
    expect(compareLiterals("\u{1f600}", "\uffff")).toBeGreaterThan(0);
  });

  it("orders numbers with bigints, bytes unsigned, NaN last", () => {
    expect(compareLiterals(5, 5n)).toBe(0);
    expect(compareLiterals(2n ** 60n, 1)).toBe(1);
    expect(compareLiterals(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0);
    expect(compareLiterals(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
    expect(compareLiterals(NaN, Infinity)).toBeGreaterThan(0);
    expect(compareLiterals(false, true)).toBeLessThan(0);
  });
});
