import { datasets } from "@firn/datasets";
import { Problem } from "@firn/service";
import fc from "fast-check";
import { expect, test } from "vitest";
import { acceptPayloads } from "./accepted-payloads.ts";
import type { BodyFormat } from "./body-payloads.ts";

const health = datasets.get("health")!;
const format = fc.constantFrom<BodyFormat>("json", "ndjson");
const anyBytes = fc.uint8Array({ maxLength: 64 });
const almostJson = fc
  .array(
    fc.constantFrom("[", "]", "{", "}", ",", ":", '"userId"', '"deviceId"', '"samples"', '"a"', "1", "\n", "\\", " "),
    {
      maxLength: 30,
    },
  )
  .map((tokens) => Buffer.from(tokens.join("")));

test("any bytes are accepted with all their payloads, or refused with a 4xx that has a reason", () => {
  fc.assert(
    fc.property(fc.oneof(anyBytes, almostJson), format, (bytes, as) => {
      const outcome = outcomeOf(Buffer.from(bytes), as);
      if (outcome instanceof Problem) {
        expect([400, 413]).toContain(outcome.status);
        expect(outcome.errors.length).toBeGreaterThan(0);
      } else {
        expect(outcome.length).toBeGreaterThan(0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("well-formed payloads are accepted with their bytes, in either format", () => {
  const payload = fc.record({
    deviceId: fc.string({ minLength: 1 }),
    userId: fc.string({ unit: "grapheme", minLength: 1 }),
    samples: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 5 }), format, (payloads, as) => {
      const texts = payloads.map((value) => JSON.stringify(value));
      const body = as === "json" ? `[${texts.join(", ")}]` : texts.join("\r\n");
      const outcome = outcomeOf(Buffer.from(body), as);
      expect(outcome).toEqual(texts);
    }),
  );
});

function outcomeOf(body: Buffer, as: BodyFormat): string[] | Problem {
  try {
    return acceptPayloads(body, as, health, 4).payloads.map(({ bytes }) => bytes.toString());
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}
