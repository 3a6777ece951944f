import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloadOutline } from "./payload-outline.ts";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const outlineOf = (text: string) => payloadOutline(Buffer.from(text), "samples");

/** Tokens in any order: mostly no JSON, and now and then just so. */
const tokens = fc.array(
  fc.constantFrom(
    ...["[", "]", "{", "}", ",", ":", '"', '"a"', '"samples"', "1", "-", "0", ".5", "e+1", "E", "01", "1e5", "true"],
    ...["false", "null", "nul", " ", "\n", "\u00a0", "\\", '"\\u00e9"', '"\\u00"', '"\\x"', '"\u0001"', '"é\\/"'],
  ),
  { maxLength: 12 },
);

describe("the outline of a payload", () => {
  it("is its value with empty places for the records", () => {
    const value = fc.record(
      {
        userId: fc.string({ unit: "grapheme" }),
        samples: fc.array(fc.jsonValue({ maxDepth: 4 })),
        deleted: fc.array(fc.string()),
      },
      { requiredKeys: ["samples"] },
    );
    fc.assert(
      fc.property(value, fc.constantFrom(0, 1), (payload, indent) => {
        const outline = outlineOf(JSON.stringify(payload, null, indent))!;
        expect(Object.keys(outline)).toEqual(Object.keys(payload));
        expect(outline["samples"]).toHaveLength(payload.samples.length);
        const { samples: _, ...rest } = outline;
        const { samples: __, ...expected } = JSON.parse(JSON.stringify(payload)) as Record<string, unknown>;
        expect(rest).toEqual(expected);
      }),
    );
  });

  it("is there only where JSON.parse takes the text, with as many records", () => {
    fc.assert(
      fc.property(tokens, tokens, fc.boolean(), (inside, behind, isWhole) => {
        const text = `{"samples":[${inside.join("")}]${isWhole ? "}" : behind.join("")}`;
        const outline = outlineOf(text);
        const value = parsed(text) as { samples: unknown[] } | undefined;
        if (outline !== undefined) expect(outline["samples"]).toHaveLength(value?.samples.length ?? NaN);
        else if (isWhole) expect(value).toBeUndefined();
      }),
      { numRuns: 20_000 },
    );
  });

  it("takes numbers, words, texts and blanks exactly as JSON.parse does", () => {
    const texts = [
      ...[
        "0",
        "-0",
        "10",
        "1.5",
        "1e5",
        "1E+5",
        "1e-5",
        "-1.25e10",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
      ],
      ...[
        "true",
        "false",
        "null",
        "tru",
        "nulls",
        "True",
        '""',
        '"a',
        '"\\n"',
        '"\\u12aF"',
        '"\\u12g0"',
        '"\\a"',
        '"\t"',
      ],
      ...[
        "",
        " ",
        "1 2",
        "1,",
        ",1",
        "1,,2",
        "[1]",
        "[1,]",
        "{}",
        "{1:2}",
        '{"a":1,}',
        '{"a"}',
        '{"a":}',
        '{"a":1 "b":2}',
      ],
      ...["\u00a01", "\ufeff1", "\v1", "\r\n\t 1", "1]]", '{"a":1}}', "[1}", '{"a":1]', "'a'", "/**/1"],
    ];
    for (const text of texts) {
      const payload = `{"userId":"u","samples":[${text}]}`;
      expect([text, outlineOf(payload) !== undefined]).toEqual([text, parsed(payload) !== undefined]);
    }
  });

  it("is left to JSON.parse where the member stands twice, is no array or not the payload's own, or nests deeply", () => {
    const deep = (levels: number) => `{"samples":[${"[".repeat(levels)}${"]".repeat(levels)}]}`;
    expect(outlineOf(deep(30))).toBeDefined();
    for (const text of [
      '{"samples":[1],"samples":[1,2]}',
      '{"samples":[1],"samples":"x"}',
      '{"samples":[1],"\\u0073amples":" "}',
      '{"samples":{}}',
      '[{"samples":[1]}]',
      '"samples"',
      "{}",
      "",
      deep(31),
      deep(100_000),
    ])
      expect([text.slice(0, 40), outlineOf(text)]).toEqual([text.slice(0, 40), undefined]);
  });
});
