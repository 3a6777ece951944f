import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** A token as a test makes it: the word itself and what it allows. */
export interface TestToken {
  readonly token: string;
  readonly scopes: readonly string[];
  readonly expires?: string;
}

/** Writes FIRN_TOKENS_FILE with these tokens into the folder and gives its path. */
export function writeTokenFile(folder: string, tokens: readonly TestToken[]): string {
  const path = join(folder, "tokens.json");
  const entries = tokens.map(({ token, ...rest }) => ({
    name: token,
    sha256: createHash("sha256").update(token).digest("hex"),
    ...rest,
  }));
  writeFileSync(path, JSON.stringify({ version: 1, tokens: entries }));
  return path;
}
