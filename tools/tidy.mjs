// Checks what no linter sees: names of files, left-over marks, and that each app reads its environment in one place.
// Usage: node tools/tidy.mjs; prints each finding as `path:line: rule` and exits 1 when there is one.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const root = join(import.meta.dirname, "..");
const SOURCE = /^(apps|libs|tools|e2e|bench)\/.*\.(ts|mts|mjs)$/;
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|nats|pg|s3|kafka|process|interop|d|config))*\.(ts|mts|mjs)$/;
const CATCH_ALL = /(^|-)(utils?|helpers?|managers?)\.|^(common|types|misc|shared)\./;
const LEFT_OVER = [
  { pattern: new RegExp("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b"), rule: "left-over mark: docs/gaps.md is the place" },
  { pattern: /\b(test|it|describe)\.(only|skip|todo)\(/, rule: "a test that does not run, or lets no other run" },
];
const ENVIRONMENT_READERS = /(\/(main|config|run-service)\.ts|\.mjs|\.test\.ts)$|^(libs\/testing|e2e|bench)\/|\/test\//;

const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root })
  .toString()
  .split("\n")
  .filter((path) => SOURCE.test(path) && existsSync(join(root, path)));
const findings = files.flatMap((path) => [...checkName(path), ...checkLines(path)]);
for (const finding of findings) console.log(finding);
console.log(`tidy: ${files.length} files, ${findings.length} findings`);
process.exitCode = findings.length > 0 ? 1 : 0;

function checkName(path) {
  const name = basename(path);
  if (!NAME.test(name)) return [`${path}: a file is named in kebab-case`];
  return CATCH_ALL.test(name) ? [`${path}: a file is named after its one concept`] : [];
}

function checkLines(path) {
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const rules = LEFT_OVER.filter(({ pattern }) => pattern.test(line)).map(({ rule }) => rule);
    if (/\bprocess\.env\b/.test(line) && !ENVIRONMENT_READERS.test(path))
      rules.push("only main.ts and config.ts read process.env");
    return rules.map((rule) => `${path}:${index + 1}: ${rule}`);
  });
}
