import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageFraming } from "./message-framing.ts";

/** A line of the protocol, or a message with its payload. */
const units = fc.oneof(
  fc
    .constantFrom("PING\r\n", "+OK\r\n", "-ERR 'Slow Consumer'\r\n", 'INFO {"server_id":"x"}\r\n')
    .map((text) => Buffer.from(text)),
  fc
    .tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("", "_INBOX.1 "), fc.nat(99))
    .map(([data, reply, sid]) => {
      const line = `MSG intake.health.3 ${sid} ${reply}${data.length}\r\n`;
      return Buffer.concat([Buffer.from(line), data, Buffer.from("\r\n")]);
    }),
  fc.uint8Array({ maxLength: 300 }).map((data) => {
    const headers = "NATS/1.0\r\nFirn-Run: 1\r\n\r\n";
    const line = `HMSG a 1 ${headers.length} ${headers.length + data.length}\r\n${headers}`;
    return Buffer.concat([Buffer.from(line), data, Buffer.from("\r\n")]);
  }),
);

/** The bytes in pieces whose lengths come round and round. */
function* pieces(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const length = lengths[n % lengths.length]!;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe("what comes from the server", () => {
  it("is cut between lines and messages only, and nothing is lost, however it comes", () => {
    fc.assert(
      fc.property(fc.array(units), fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (all, lengths) => {
        const bytes = Buffer.concat(all);
        const ends = new Set<number>();
        all.reduce((sum, unit) => (ends.add(sum + unit.length), sum + unit.length), 0);
        const seen: Uint8Array[] = [];
        const framing = new MessageFraming((whole) => seen.push(whole));
        for (const piece of pieces(bytes, lengths)) {
          const own = Buffer.from(piece);
          framing.push(own);
          own.fill(0);
        }
        expect(Buffer.concat(seen)).toEqual(bytes);
        let sum = 0;
        for (const whole of seen) {
          sum += whole.length;
          expect(ends.has(sum)).toBe(true);
        }
      }),
    );
  });

  it("is passed on as it came where it is no message", () => {
    for (const text of ["MSG a 1 12x\r\nrest\r\n", "MSG a 1 \r\n", "MSG a 1 99999999999\r\n", "nonsense\r\n"]) {
      const seen: Uint8Array[] = [];
      new MessageFraming((whole) => seen.push(whole)).push(Buffer.from(text));
      expect(Buffer.concat(seen).toString()).toBe(text);
    }
  });
});
