import { describe, expect, it } from "vitest";

import { parseOwnShards, validatorSettings } from "./config.ts";

describe("own shards", () => {
  it.each([
    ["all", [0, 1, 2, 3]],
    ["0", [0]],
    ["2-3,0", [0, 2, 3]],
    ["1, 1-2", [1, 2]],
  ])("of %s", (text, expected) => expect(parseOwnShards(text, 4)).toEqual(expected));

  it.each(["", "4", "1-4", "2-1", "x", "-1", "0,"])("refuse %j", (text) => {
    expect(() => parseOwnShards(text, 4)).toThrow(/FIRN_VALIDATOR_SHARDS/);
  });
});

it("settings have their defaults and are all in the help", () => {
  expect(validatorSettings.parse({ NATS_URL: "nats://localhost:4222" })).toMatchObject({
    shards: 4,
    ownShards: "all",
    mode: "strict",
    defaultZone: "UTC",
    runBytesMax: 2 * 1024 ** 2,
  });
  expect(validatorSettings.settings.map((setting) => setting.env)).toEqual([
    "NATS_URL",
    "FIRN_SHARDS",
    "FIRN_VALIDATOR_SHARDS",
    "FIRN_MEMBER",
    "FIRN_LEASE_MS",
    "FIRN_VALIDATION",
    "FIRN_DEFAULT_TIMEZONE",
    "FIRN_VALIDATOR_RUN_BYTES",
    "FIRN_INTAKE_KEEP_MS",
    "FIRN_INTAKE_KEEP_BYTES",
    "FIRN_STREAM_REPLICAS",
  ]);
});
