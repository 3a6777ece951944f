// Runs a TypeScript file of this workspace: node tools/run-ts.mjs bench/query.ts [arguments]
// Bundles it as the apps are bundled (workspace libs inside, npm packages outside) and runs the result.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { headComment } from "./script-options.mjs";

const root = join(import.meta.dirname, "..");
const [source, ...args] = process.argv.slice(2);
if (!source) {
  console.error("usage: node tools/run-ts.mjs FILE.ts [arguments]");
  process.exit(2);
}
if (args.includes("--help")) {
  process.stdout.write(headComment(readFileSync(source, "utf8")));
  process.exit(0);
}
const folder = join(root, "node_modules", ".firn-scripts");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `${basename(source, ".ts")}.mjs`);
await build({
  entryPoints: [resolve(source)],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  sourcemap: "inline",
  logLevel: "warning",
  plugins: [
    {
      name: "npm-packages-outside",
      setup(builder) {
        builder.onResolve({ filter: /^[^./]/ }, (found) =>
          found.kind === "entry-point" || found.path.startsWith("@firn/")
            ? undefined
            : { path: found.path, external: true },
        );
      },
    },
  ],
});
const run = spawnSync(process.execPath, ["--enable-source-maps", outfile, ...args], { cwd: root, stdio: "inherit" });
process.exitCode = run.status ?? 1;
