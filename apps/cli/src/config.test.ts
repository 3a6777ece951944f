import { tempFolder } from "@firn/testing";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "./config.ts";

it("takes secrets from files, as containers have them", async () => {
  const folder = await tempFolder("config");
  const fileOf = (name: string, text: string) => {
    writeFileSync(join(folder.path, name), `${text}\n`);
    return join(folder.path, name);
  };
  const config = readConfig({
    FRED_API_KEY_FILE: fileOf("key", "a-key"),
    FIRN_TOKEN_FILE: fileOf("token", "a-token"),
    NATS_URL_FILE: fileOf("nats", "nats://firn:secret@nats:4222"),
    DATABASE_URL_FILE: fileOf("database", "postgres://firn@db/firn"),
  });
  expect(config.sources.fredApiKey).toBe("a-key");
  expect(config.token).toBe("a-token");
  expect(config.addresses).toEqual({ nats: "nats://firn:secret@nats:4222", database: "postgres://firn@db/firn" });
  expect(() => readConfig({ FRED_API_KEY_FILE: join(folder.path, "nothing") })).toThrow(/FRED_API_KEY/);
  await folder.remove();
});
