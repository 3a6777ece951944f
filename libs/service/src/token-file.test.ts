import { createHash } from "node:crypto";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { TokenFile } from "./token-file.ts";

const folder = mkdtempSync(join(tmpdir(), "firn-tokens-"));
const path = join(folder, "tokens.json");
afterAll(() => rmSync(folder, { recursive: true }));

const hash = (token: string): string => createHash("sha256").update(token).digest("hex");
const write = (tokens: unknown, version = 1): void => writeFileSync(path, JSON.stringify({ version, tokens }));
const reader = { name: "reader", sha256: hash("secret"), scopes: ["query"], expires: "2027-01-01T00:00:00Z" };

describe("the file of tokens", () => {
  beforeEach(() => write([reader]));

  it("knows a token until it expires", () => {
    const file = new TokenFile(path);
    const endMs = Date.UTC(2027, 0, 1);
    expect(file.find("secret", endMs - 1)?.name).toBe("reader");
    expect(file.find("secret", endMs)).toBeUndefined();
    expect(file.find("Secret", 0)).toBeUndefined();
    expect(file.find(reader.sha256, 0)).toBeUndefined();
  });

  it("follows a change of the file, and keeps the last good one", () => {
    const problems: string[] = [];
    const file = new TokenFile(path, (error) => problems.push(error.message));
    writeFileSync(`${path}.new`, JSON.stringify({ version: 1, tokens: [{ ...reader, sha256: hash("other") }] }));
    renameSync(`${path}.new`, path);
    expect(file.find("other", 10_000)?.name).toBe("reader");
    expect(file.find("secret", 10_000)).toBeUndefined();
    writeFileSync(path, "{");
    expect(file.find("other", 20_000)?.name).toBe("reader");
    expect(problems).toEqual(["FIRN_TOKENS_FILE: is not JSON"]);
  });

  it("holds the tokens of several files, and none of them twice", () => {
    const more = join(folder, "more.json");
    const write = (...tokens: unknown[]): void => writeFileSync(more, JSON.stringify({ version: 1, tokens }));
    write({ ...reader, name: "writer", sha256: hash("other") });
    const file = new TokenFile(`${path},${more}`);
    expect(file.find("secret", 10_000)?.name).toBe("reader");
    expect(file.find("other", 10_000)?.name).toBe("writer");
    write({ ...reader, name: "third", sha256: hash("another one") });
    expect(file.find("other", 20_000)).toBeUndefined();
    expect(file.find("another one", 20_000)?.name).toBe("third");
    write(reader);
    expect(() => new TokenFile(`${path}, ${more}`)).toThrow("one stands there twice");
  });

  it.each<[unknown, string]>([
    [[{ ...reader, sha256: "secret" }], "tokens[0].sha256: must be 64 lower-case hexadecimal digits"],
    [[{ ...reader, scopes: ["root"] }], "tokens[0].scopes: must be some of"],
    [[{ ...reader, scopes: [] }], "tokens[0].scopes: must be some of"],
    [[{ ...reader, expires: "tomorrow" }], "tokens[0].expires: must be an instant"],
    [[{ ...reader, token: "secret" }], "tokens[0].token: is not known"],
    [[reader, reader], "one stands there twice"],
    [{}, "tokens: must be an array"],
  ])("refuses %j", (tokens, rule) => {
    write(tokens);
    expect(() => new TokenFile(path)).toThrow(rule);
  });

  it("refuses another version, and a file that is not there", () => {
    write([], 2);
    expect(() => new TokenFile(path)).toThrow("version: must be 1");
    expect(() => new TokenFile(join(folder, "none"))).toThrow("FIRN_TOKENS_FILE: cannot be read: ENOENT");
  });
});
