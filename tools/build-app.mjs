// Bundles one app into dist/main.js: workspace libs go in, npm packages stay outside.
// Usage (from the app's folder): node ../../tools/build-app.mjs
import { build } from "esbuild";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = ["src/main.ts", ...(existsSync("src/worker.ts") ? ["src/worker.ts"] : [])];

const keepNpmPackagesOutside = {
  name: "npm-packages-outside",
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, (args) =>
      args.kind === "entry-point" || args.path.startsWith("@firn/") ? undefined : { path: args.path, external: true },
    );
  },
};

await build({
  entryPoints: entries,
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20.19",
  sourcemap: true,
  logLevel: "warning",
  define: { FIRN_VERSION: JSON.stringify(version) },
  plugins: [keepNpmPackagesOutside],
});
