import fc from "fast-check";
import { expect, test } from "vitest";
import { assertDisjointFilters, filterContains, filterMatches, isLiteralSubject, isSubjectFilter } from "./subject.ts";

const literal = fc
  .array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 4 })
  .map((tokens) => tokens.join("."));
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "c", "*"), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, open]) => [...tokens, ...(open ? [">"] : [])].join("."));

test("tells subjects, filters and neither apart", () => {
  for (const good of ["a", "a.b-c.d_1", "intake.health.0", "$x.ü"]) expect(isLiteralSubject(good), good).toBe(true);
  for (const bad of ["", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "a\tb"]) {
    expect(isLiteralSubject(bad), bad).toBe(false);
  }
  for (const good of [">", "*", "a.>", "*.b.*", "a"]) expect(isSubjectFilter(good), good).toBe(true);
  for (const bad of ["", "a.>.b", ">.a", "a.b*", "a..>"]) expect(isSubjectFilter(bad), bad).toBe(false);
});

test("matches a star to one token and a > to one or more", () => {
  expect(filterMatches("a.*.c", "a.b.c")).toBe(true);
  expect(filterMatches("a.*", "a.b.c")).toBe(false);
  expect(filterMatches("a.>", "a.b.c")).toBe(true);
  expect(filterMatches("a.>", "a")).toBe(false);
  expect(filterMatches(">", "a")).toBe(true);
});

test("a filter that contains another matches all that the other matches", () => {
  fc.assert(
    fc.property(filter, filter, literal, (outer, inner, subject) => {
      if (filterContains(outer, inner) && filterMatches(inner, subject)) {
        expect(filterMatches(outer, subject)).toBe(true);
      }
    }),
  );
});

test("filters that share a subject are not disjoint", () => {
  fc.assert(
    fc.property(filter, filter, literal, (one, other, subject) => {
      if (filterMatches(one, subject) && filterMatches(other, subject)) {
        expect(() => assertDisjointFilters([one, other])).toThrow(/overlap/);
      }
    }),
  );
  expect(() => assertDisjointFilters(["a.*.0", "a.*.1", "b.>"])).not.toThrow();
});
