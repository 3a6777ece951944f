import fc from "fast-check";
import { expect, test } from "vitest";
import { sliceArrayElements } from "./json-elements.ts";

function slices(text: string): string[] | undefined {
  const bytes = Buffer.from(text);
  return sliceArrayElements(bytes)?.map(({ start, end }) => bytes.toString("utf8", start, end));
}

test("elements are cut without the white space around them", () => {
  expect(slices(' [ 1 ,{"a":[1,2]},\n"x,]",[ ] ] ')).toEqual(["1", '{"a":[1,2]}', '"x,]"', "[ ]"]);
  expect(slices("[]")).toEqual([]);
  expect(slices(" [\n] ")).toEqual([]);
});

test("quotes and backslashes in strings do not end them", () => {
  expect(slices('["a\\"]","\\\\","\\\\\\"[{"]')).toEqual(['"a\\"]"', '"\\\\"', '"\\\\\\"[{"']);
});

test("what does not begin and end as one array is no array", () => {
  for (const text of ["", " ", "{}", "[", "]", "[1", "1]", "[1]]", "[[1]", '["a]', '["a\\"]', "[1] x", "[1}]x]"]) {
    expect(slices(text), text).toBeUndefined();
  }
});

test("a missing or doubled comma shows in the element", () => {
  expect(slices("[1,]")).toEqual(["1", ""]);
  expect(slices("[,1]")).toEqual(["", "1"]);
  expect(slices("[1 2]")).toEqual(["1 2"]);
  expect(slices("[,]")).toEqual(["", ""]);
});

test("the slices of any JSON array parse to its elements, however it is written", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(0, 1, "\t"), (values, indent) => {
      expect(slices(JSON.stringify(values, null, indent))?.map((slice) => JSON.parse(slice) as unknown)).toEqual(
        JSON.parse(JSON.stringify(values)),
      );
    }),
  );
});

test("any text is an array exactly when every slice is a value", () => {
  const text = fc.string({ unit: fc.constantFrom("[", "]", "{", "}", ",", '"', "\\", "1", " ", ":"), maxLength: 12 });
  fc.assert(
    fc.property(text, (inner) => {
      const array = `[${inner}]`;
      const cut = slices(array);
      expect(cut !== undefined && cut.every(isJson)).toBe(isJson(array));
    }),
    { numRuns: 2_000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
