// Makes a bare clone able to run: installs node_modules when they are missing or of another lock file, and bundles the
// apps that are missing or older than their sources. Needs nothing but Node and npm, and says what it does on stderr.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const NODE_MIN = [20, 19];
const LOCK_POLL_MS = 200;
const LOCK_WAIT_MAX_MS = 10 * 60_000;
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "test"]);

/** Installs and builds what `apps` need. Only one process at a time does it; the others wait. */
export function bootstrap(apps) {
  requireNode();
  const release = takeLock();
  try {
    ensureInstalled();
    for (const app of apps) ensureBuilt(app);
  } finally {
    release();
  }
}

/** Names of the apps that the working tree has. */
export function appNames() {
  return readdirSync(join(root, "apps")).filter((name) => existsSync(join(root, "apps", name, "src", "main.ts")));
}

export function say(text) {
  process.stderr.write(`firn: ${text}\n`);
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  say(`needs Node ${NODE_MIN.join(".")} or newer, this is ${process.versions.node}`);
  process.exit(3);
}

function ensureInstalled() {
  const lock = readFileSync(join(root, "package-lock.json"));
  const wanted = createHash("sha256").update(lock).digest("hex");
  const marker = join(root, "node_modules", ".firn-lock-sha256");
  if (existsSync(join(root, "node_modules", ".package-lock.json"))) {
    if (!existsSync(marker)) return writeFileSync(marker, wanted);
    if (readFileSync(marker, "utf8") === wanted) return;
    say("the lock file has changed: npm ci");
  } else {
    say("node_modules is missing: npm ci (a minute or two, once)");
  }
  run("npm", ["ci", "--include=dev", "--no-fund", "--no-audit", "--loglevel=error"], root, "npm ci");
  writeFileSync(marker, wanted);
}

function ensureBuilt(app) {
  const folder = join(root, "apps", app);
  const bundle = join(folder, "dist", "main.js");
  const builtMs = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  if (builtMs > newestSourceMs(folder)) return;
  say(`${builtMs === 0 ? "building" : "sources have changed, building"} apps/${app}`);
  run(process.execPath, [join(root, "tools", "build-app.mjs")], folder, `the build of apps/${app}`);
}

/** A folder counts with its own time too, which moves when a file is added, removed or renamed. */
function newestSourceMs(appFolder) {
  const shared = [join(root, "package.json"), join(root, "tools", "build-app.mjs"), join(root, "libs")];
  return Math.max(...[join(appFolder, "src"), ...shared].map(newestMs));
}

function newestMs(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let newest = stat.mtimeMs;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (!SKIPPED_FOLDERS.has(entry.name)) newest = Math.max(newest, newestMs(join(path, entry.name)));
  }
  return newest;
}

function run(command, args, cwd, what) {
  const result = spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2] });
  if (result.status === 0) return;
  say(`${what} failed${result.error ? `: ${result.error.message}` : ""}`);
  process.exit(3);
}

/** A folder is made or is there already: one winner. A lock whose process has gone is taken over. */
function takeLock() {
  const lock = join(root, ".nx", "bootstrap.lock");
  const owner = join(lock, "pid");
  mkdirSync(join(root, ".nx"), { recursive: true });
  const giveUpAt = Date.now() + LOCK_WAIT_MAX_MS;
  for (let waited = false; ; waited = true) {
    try {
      mkdirSync(lock);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (ownerHasGone(owner) || Date.now() > giveUpAt) rmSync(lock, { recursive: true, force: true });
    else if (!waited) say("another firn is setting up, waiting for it");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

function ownerHasGone(owner) {
  if (!existsSync(owner)) return false;
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}
