// Bundles one app into dist/main.js: workspace libs go in, npm packages stay outside.
// Usage (from the app's folder): node ../../tools/build-app.mjs
import { build } from "esbuild";
import { existsSync, readFileSync, rmSync } from "node:fs";
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

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: entries,
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "esm",
  // What is imported when it is needed, such as the S3 client, lies in a file of its own beside main.js.
  splitting: true,
  target: "node20.19",
  sourcemap: true,
  logLevel: "warning",
  define: { FIRN_VERSION: JSON.stringify(version) },
  plugins: [keepNpmPackagesOutside],
});
