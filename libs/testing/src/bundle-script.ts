import { build, type Plugin } from "esbuild";

/** As apps are bundled: the workspace's libs go in, npm packages stay outside. */
const keepNpmPackagesOutside: Plugin = {
  name: "npm-packages-outside",
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
      kind === "entry-point" || path.startsWith("@firn/") ? undefined : { path, external: true },
    );
  },
};

/**
 * Bundles a TypeScript file into a script for `node`, for tests of whole processes.
 * @param outfile within the repository, so that the script finds the npm packages
 * @param version what `--version` of a service says
 */
export async function bundleScript(entry: string, outfile: string, version = "0.0.0"): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    define: { FIRN_VERSION: JSON.stringify(version) },
    logLevel: "warning",
    plugins: [keepNpmPackagesOutside],
  });
}
