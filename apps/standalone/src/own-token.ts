import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { readVariable } from "@firn/service/environment";

import { writeJsonFile } from "./atomic-file.ts";
import { ConfigError, type StandaloneConfig } from "./config.ts";

const TOKENS_VARIABLE = "FIRN_TOKENS_FILE";

/**
 * Where FIRN_TOKENS_FILE guards the lake, a token of this start's own, by which its services reach each other: the
 * services accept it beside those of the file. On disk is its hash alone, in `DIR/state/tokens.json`; the next start
 * makes another. Tokens that the environment names for ingest, query or the catalog stay.
 */
export function withOwnToken(config: StandaloneConfig): StandaloneConfig {
  const { dataDir, environment, only } = config;
  const tokensFile = environment[TOKENS_VARIABLE];
  if (!tokensFile) return config;
  const read = readVariable("FIRN_TOKEN", environment);
  if (!read.ok) throw new ConfigError(`FIRN_TOKEN ${read.rule}`);
  const given = read.value;
  const token = randomBytes(32).toString("hex");
  const ownFile = join(dataDir, "state", "tokens.json");
  const sha256 = createHash("sha256").update(token).digest("hex");
  mkdirSync(join(dataDir, "state"), { recursive: true });
  writeJsonFile(ownFile, {
    version: 1,
    tokens: [{ name: "standalone", sha256, scopes: ["ingest", "query", "catalog"] }],
  });
  const catalogToken = config.access.catalogToken ?? (only.includes("catalog") ? token : undefined);
  return {
    ...config,
    access: { ...config.access, catalogToken },
    environment: {
      ...environment,
      [TOKENS_VARIABLE]: `${tokensFile},${ownFile}`,
      FIRN_TOKEN: given || token,
      FIRN_TOKEN_FILE: undefined,
      ...(catalogToken === undefined
        ? {}
        : { ICEBERG_CATALOG_TOKEN: catalogToken, ICEBERG_CATALOG_TOKEN_FILE: undefined }),
    },
  };
}
