import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findJsonFaults } from "./json-faults.ts";
import { countByte, isPlainJson, textOfUtf8 } from "./json-plain.ts";
import { endOfValue, jsonItems, jsonMembers } from "./json-slice.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "utf8");
const faultsOf = (text: string) => findJsonFaults(bytesOf(text), { start: 0, end: bytesOf(text).length });

/** A JSON text written member by member, so that keys may stand twice and strings may hold anything. */
type Node =
  | { kind: "scalar"; text: string }
  | { kind: "string"; value: string }
  | { kind: "array"; items: Node[] }
  | { kind: "object"; members: [string, Node][] };

const strings = fc.oneof(
  fc.constantFrom(
    "a",
    "b",
    "id",
    "__proto__",
    "",
    "\u0000",
    "é",
    "e\u0301",
    "😀",
    'quo"te',
    "back\\slash",
    "a/b",
    "]}",
  ),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("\ud800", "x\udc00", "\ude00\ud83d"),
);
const nodes = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("1", "-2.5e3", "true", "null").map((text): Node => ({ kind: "scalar", text })),
    strings.map((value): Node => ({ kind: "string", value })),
    fc.array(tie("node"), { maxLength: 4 }).map((items): Node => ({ kind: "array", items })),
    fc.array(fc.tuple(strings, tie("node")), { maxLength: 5 }).map((members): Node => ({ kind: "object", members })),
  ),
})).node;

function write(node: Node, blank: string, escapeAll: boolean): string {
  const quote = (value: string): string => {
    const text = JSON.stringify(value);
    if (!escapeAll) return text;
    return text
      .replaceAll("/", "\\/")
      .replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  };
  switch (node.kind) {
    case "scalar":
      return node.text;
    case "string":
      return quote(node.value);
    case "array":
      return `[${blank}${node.items.map((item) => write(item, blank, escapeAll)).join(`,${blank}`)}${blank}]`;
    case "object":
      return `{${blank}${node.members
        .map(([key, value]) => `${quote(key)}${blank}:${blank}${write(value, blank, escapeAll)}`)
        .join(`${blank},`)}${blank}}`;
  }
}

function hasFault(node: Node): boolean {
  const odd = (text: string): boolean => /\p{Surrogate}/u.test(text);
  switch (node.kind) {
    case "scalar":
      return false;
    case "string":
      return odd(node.value);
    case "array":
      return node.items.some(hasFault);
    case "object": {
      const keys = node.members.map(([key]) => key);
      return new Set(keys).size < keys.length || keys.some(odd) || node.members.some(([, value]) => hasFault(value));
    }
  }
}

describe("a JSON text", () => {
  it("has faults exactly where a key stands twice or a surrogate alone, and is never called plain then", () => {
    fc.assert(
      fc.property(nodes, fc.constantFrom("", " ", "\n\t"), fc.boolean(), (node, blank, escapeAll) => {
        const text = write(node, blank, escapeAll);
        const bytes = bytesOf(text);
        const faulty = hasFault(node);
        expect(findJsonFaults(bytes, { start: 0, end: bytes.length }).length > 0).toBe(faulty);
        if (faulty) expect(isPlainJson(bytes, JSON.parse(text))).toBe(false);
        else if (!text.includes("\\")) expect(isPlainJson(bytes, JSON.parse(text))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it("is cut into members and items that parse to the same values", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(strings, fc.jsonValue()), { maxLength: 5 }), (pairs) => {
        const object = Object.fromEntries(pairs.filter(([key]) => key !== "__proto__"));
        for (const indent of [0, 2]) {
          const members = bytesOf(` ${JSON.stringify(object, null, indent)} `);
          const seen = [...jsonMembers(members)].map(({ key, start, end }) => [
            key,
            JSON.parse(members.toString("utf8", start, end)) as unknown,
          ]);
          expect(seen).toEqual(Object.entries(JSON.parse(JSON.stringify(object)) as object));
          const items = bytesOf(JSON.stringify(Object.values(object), null, indent));
          const values = [...jsonItems(items)].map(
            ({ start, end }) => JSON.parse(items.toString("utf8", start, end)) as unknown,
          );
          expect(values).toEqual(JSON.parse(items.toString()));
        }
      }),
    );
  });

  it("names the way to a fault", () => {
    expect(faultsOf('{"id":"a","metadata":{"k":"1","k":"2"}}')).toEqual([
      { kind: "duplicate_key", path: "metadata.k" },
    ]);
    expect(faultsOf('[{"a":1},{"a":1,"\\u0061":2}]')).toEqual([{ kind: "duplicate_key", path: "[1].a" }]);
    expect(faultsOf('{"id":"\\ud83d","ok":"\\ud83d\\ude00"}')).toEqual([{ kind: "lone_surrogate", path: "id" }]);
    expect(faultsOf('{"__proto__":1,"__proto__":2}')).toEqual([{ kind: "duplicate_key", path: "__proto__" }]);
  });

  it("may be nested without end", () => {
    const deep = bytesOf(`${"[".repeat(300_000)}${"]".repeat(300_000)}`);
    expect(endOfValue(deep, 0)).toBe(deep.length);
    expect(findJsonFaults(deep, { start: 0, end: deep.length })).toEqual([]);
    expect(isPlainJson(deep, JSON.parse(deep.toString()))).toBe(true);
  });

  it("is plain with escaped slashes, as Swift writes them", () => {
    const text = String.raw`{"unit":"count\/min","zone":"Asia\/Seoul","note":"a\nb"}`;
    expect(isPlainJson(bytesOf(text), JSON.parse(text))).toBe(true);
  });

  it("counts a byte at any alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(7), fc.nat(255), (array, from, byte) => {
        const bytes = array.map((value, i) => (i % 3 === 0 ? byte : value)).subarray(Math.min(from, array.length));
        expect(countByte(bytes, byte)).toBe(bytes.reduce((sum, value) => sum + (value === byte ? 1 : 0), 0));
      }),
    );
  });

  it("is decoded whether ASCII or not", () => {
    for (const text of ["plain", "é😀\u0000"]) expect(textOfUtf8(bytesOf(text))).toBe(text);
  });
});
