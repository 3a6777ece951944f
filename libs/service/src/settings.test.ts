import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, expectTypeOf, test } from "vitest";
import { pipelineSettings } from "./pipeline-settings.ts";
import { ConfigError, defineSettings } from "./settings.ts";

const definition = defineSettings({
  url: { env: "URL", type: "url", required: true, help: "" },
  count: { env: "COUNT", type: "int", default: 3, min: 1, max: 9, help: "" },
  ratio: { env: "RATIO", type: "number", help: "" },
  size: { env: "SIZE", type: "bytes", default: 10, help: "" },
  on: { env: "ON", type: "boolean", default: false, help: "" },
  folder: { env: "FOLDER", type: "path", default: "here", help: "" },
  mode: { env: "MODE", type: "string", choices: ["a", "b"], default: "a", help: "" },
  zone: { ...pipelineSettings.defaultZone, env: "ZONE" },
});

function problemsOf(environment: Record<string, string>): readonly unknown[] {
  try {
    definition.parse(environment);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
}

test("defaults stand where the environment is silent or empty", () => {
  expect(definition.parse({ URL: "nats://a:1", COUNT: "" })).toEqual({
    url: "nats://a:1",
    count: 3,
    ratio: undefined,
    size: 10,
    on: false,
    folder: resolve("here"),
    mode: "a",
    zone: "UTC",
  });
});

test("each type is read from its text", () => {
  const values = definition.parse({
    URL: "nats://a:1,nats://b:2",
    COUNT: "9",
    RATIO: "0.5",
    SIZE: "64MiB",
    ON: "1",
    FOLDER: "/data",
    MODE: "b",
    ZONE: "+09:00",
  });
  expect(values).toEqual({
    url: "nats://a:1,nats://b:2",
    count: 9,
    ratio: 0.5,
    size: 64 * 1024 ** 2,
    on: true,
    folder: "/data",
    mode: "b",
    zone: "+09:00",
  });
  expectTypeOf(values.ratio).toEqualTypeOf<number | undefined>();
  expectTypeOf(values.mode).toEqualTypeOf<"a" | "b">();
});

test("every wrong variable is named with its rule and without its value", () => {
  expect(
    problemsOf({ COUNT: "10", RATIO: "x", SIZE: "5 bananas", ON: "yes", MODE: "c", ZONE: "Mars/Olympus" }),
  ).toEqual([
    { env: "URL", rule: "is required" },
    { env: "COUNT", rule: "must be at most 9" },
    { env: "RATIO", rule: "must be a number" },
    { env: "SIZE", rule: "must be a size such as 1048576, 64MiB or 2GiB" },
    { env: "ON", rule: "must be true or false" },
    { env: "MODE", rule: "must be one of a, b" },
    { env: "ZONE", rule: "must be an IANA time zone such as Asia/Seoul, or an offset such as +09:00" },
  ]);
  expect(problemsOf({ URL: "not a url", COUNT: "1.5" })).toEqual([
    { env: "URL", rule: "must be a URL with a scheme (several by comma)" },
    { env: "COUNT", rule: "must be a whole number" },
  ]);
});

test("NAME_FILE names a file with the value, and never stands beside NAME", () => {
  const folder = mkdtempSync(join(tmpdir(), "firn-settings-"));
  const file = join(folder, "url");
  writeFileSync(file, "nats://user:secret@a:1\n");
  expect(definition.parse({ URL_FILE: file }).url).toBe("nats://user:secret@a:1");
  expect(definition.parse({ URL: "nats://b:1", URL_FILE: "" }).url).toBe("nats://b:1");
  expect(problemsOf({ URL: "nats://a:1", URL_FILE: file })).toEqual([
    { env: "URL", rule: "is set twice, by itself and by URL_FILE" },
  ]);
  rmSync(folder, { recursive: true });
  expect(problemsOf({ URL_FILE: file })).toEqual([{ env: "URL", rule: "cannot be read from URL_FILE: ENOENT" }]);
});
