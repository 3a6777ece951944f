// Starts containers as processes of this machine: the same arguments and the same environment; hosts and ports become
// free ports of the loopback, paths become folders below one of its own. What a container may not see it does not get:
// a path that is not mounted, a host or port that no Service has, and a variable that nobody sets are failures.
import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { foreignCommand } from "./foreign-containers.mjs";

const ours = join(import.meta.dirname, "..", "..").replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

const READY_LIMIT_MS = 300_000;
const END_LIMIT_MS = 60_000;
const JOB_LIMIT_MS = 300_000;
const POLL_MS = 200;
/** What a container cannot see: nothing can be made below it. */
const NOWHERE = "/proc/not-mounted";
const PORT_MIN = 12_000;
const PORTS = 10_000;
const GRPC_ABOVE = 10_000;

export class ContainerSet {
  #dir = mkdtempSync(join(tmpdir(), "firn-containers-"));
  #ports = new Map();
  #running = [];
  #root;
  #hosts;
  #programs;

  /**
   * @param root the clone: its apps are what the image holds
   * @param hosts name → { owner, ports }: ports from outside to inside; undefined: the same
   * @param programs paths of natsServer, weed, prometheus; what foreign-containers.mjs asks for
   */
  constructor({ root, hosts, programs }) {
    this.#root = root;
    this.#hosts = hosts;
    this.#programs = programs;
    const image = join(this.#dir, "image");
    mkdirSync(image);
    symlinkSync(join(root, "apps"), join(image, "apps"));
    for (const file of ["healthcheck.mjs", "round-trip.mjs"]) cpSync(join(root, "deploy", file), join(image, file));
  }

  /** Where a host's port answers on this machine, "127.0.0.1:N". */
  async address(host, port) {
    const known = this.#hosts.get(host);
    const inside = known?.ports ? known.ports.get(port) : port;
    if (!known || inside === undefined) throw new Error(`nothing answers at ${host}:${port}`);
    return `127.0.0.1:${await this.#localPort(known.owner, inside)}`;
  }

  /** Where a port of one pod answers, as its Service would lead to it. */
  async podAddress(owner, port) {
    return `127.0.0.1:${await this.#localPort(owner, port)}`;
  }

  /** Starts one that stays, and waits until it is ready. @throws Error when it does not come up; it is gone then */
  async start(container, limitMs = READY_LIMIT_MS) {
    const child = await this.#spawn(container);
    try {
      await this.#untilReady(container, child, limitMs);
      this.#running.push(child);
    } catch (error) {
      child.process.kill("SIGKILL");
      throw error;
    }
  }

  /** Starts some that need each other, as the pods of a cluster do. @throws Error of the first that does not come up */
  async startTogether(containers) {
    const starts = await Promise.allSettled(containers.map((container) => this.start(container)));
    const failure = starts.find(({ status }) => status === "rejected");
    if (failure) throw failure.reason;
  }

  /** Waits until a page of a pod answers well: where its readiness says less than what the next ones need. */
  async untilAnswers(owner, port, path) {
    const url = `http://${await this.podAddress(owner, port)}${path}`;
    for (const deadline = Date.now() + READY_LIMIT_MS; !(await isWell(url)); await sleep(POLL_MS))
      if (Date.now() > deadline) throw new Error(`${owner} did not answer ${path} in time`);
  }

  async #untilReady(container, child, limitMs) {
    const deadline = Date.now() + limitMs;
    while (!(await this.#isReady(container, child))) {
      if (child.process.exitCode !== null)
        throw new Error(`${child.label} ended with ${child.process.exitCode}: ${child.tail()}`);
      if (Date.now() > deadline) throw new Error(`${child.label} was not ready in time: ${child.tail()}`);
      await sleep(POLL_MS);
    }
  }

  /** Runs one that ends; gives its exit code and what it wrote. */
  async run(container) {
    const child = await this.#spawn(container);
    const timer = setTimeout(() => child.process.kill("SIGKILL"), JOB_LIMIT_MS);
    if (child.process.exitCode === null) await new Promise((resolve) => child.process.once("exit", resolve));
    clearTimeout(timer);
    return { exitCode: child.process.exitCode, output: child.output() };
  }

  /** Ends all in the reverse order of their start; gives the ones that did not end by themselves or failed. */
  async stop() {
    const bad = await this.end(() => true);
    if (!process.env.KEEP) rmSync(this.#dir, { recursive: true, force: true });
    return bad;
  }

  /** Ends the containers of some pods, the last that was started first. @param chosen by the pod's name */
  async end(chosen) {
    const ending = this.#running.filter(({ owner }) => chosen(owner)).reverse();
    this.#running = this.#running.filter((one) => !ending.includes(one));
    const bad = [];
    for (const { process: child, label, signal } of ending) {
      if (child.exitCode !== null) bad.push(`${label} had ended with ${child.exitCode}`);
      else {
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill(signal);
        const timer = setTimeout(() => (bad.push(`${label} did not end`), child.kill("SIGKILL")), END_LIMIT_MS);
        await ended;
        clearTimeout(timer);
        if (label.includes("apps/") && child.exitCode !== 0) bad.push(`${label} ended with ${child.exitCode}`);
      }
    }
    return bad;
  }

  /** Takes away what pods that have ended kept on their volumes. */
  lose(containers) {
    for (const container of containers)
      for (const [path, mount] of Object.entries(container.mounts))
        rmSync(this.#folderOf(container.owner, path, mount), { recursive: true, force: true });
  }

  async #spawn(container) {
    const folders = await this.#mount(container);
    const environment = {};
    for (const [name, value] of Object.entries(container.settings ?? {}))
      environment[name] = isOutside(value, folders) ? NOWHERE + value : await this.#addresses(value, folders);
    for (const [name, value] of Object.entries(container.env)) {
      const isOwnPort = name === "FIRN_PORT" && value !== "0";
      environment[name] = isOwnPort
        ? String(await this.#localPort(container.owner, Number(value)))
        : await this.#translate(value, folders, `${container.name}: ${name}`);
    }
    const args = [];
    for (const arg of container.args) args.push(await this.#translate(arg, folders, container.name));
    const local = (port) => this.#localPort(container.owner, port);
    const foreign = await foreignCommand(
      { ...container, args, env: environment },
      { folders, local, programs: this.#programs, dir: this.#dir },
    );
    const { command, signal = "SIGTERM", isReady, ...more } = foreign ?? { command: process.execPath, args };
    const label = `${container.owner}/${container.name} ${(more.args ?? args).slice(0, 2).join(" ")}`;
    const log = join(this.#dir, `${container.owner}-${container.name}.log`);
    const file = openSync(log, "a");
    const child = spawn(command, more.args ?? args, {
      cwd: join(this.#dir, "image"),
      env: { PATH: process.env.PATH, ...environment, ...more.env },
      stdio: ["ignore", file, file],
    });
    const output = () => readFileSync(log, "utf8");
    return {
      process: child,
      owner: container.owner,
      label,
      signal,
      isReady,
      output,
      tail: () => output().slice(-1_500),
    };
  }

  /** Folders and files of a container's mounts: path inside → path here. */
  async #mount({ owner, mounts }) {
    const folders = [];
    for (const [path, mount] of Object.entries(mounts)) {
      const { files, from } = mount;
      const here = this.#folderOf(owner, path, mount);
      folders.push([path, here]);
      if (from) await this.#copy(from, here);
      else mkdirSync(here, { recursive: true });
      for (const [name, text] of Object.entries(files ?? {}))
        writeFileSync(join(here, name), await this.#addresses(text, []));
    }
    return folders.sort(([a], [b]) => b.length - a.length);
  }

  #folderOf(owner, path, { shared }) {
    return join(this.#dir, shared ? `shared/${shared}` : `${owner}${path}`);
  }

  async #copy(from, here) {
    mkdirSync(dirname(here), { recursive: true });
    if (statSync(from).isDirectory()) cpSync(from, here, { recursive: true });
    else writeFileSync(here, await this.#addresses(readFileSync(from, "utf8"), []));
  }

  async #translate(text, folders, what) {
    if (isOutside(text, folders)) throw new Error(`${what}: ${text} is not mounted`);
    return this.#addresses(text, folders);
  }

  async #addresses(text, folders) {
    if (folders.length > 0) {
      // All at once: what a path becomes may itself begin like one. Files of the repository are no container's.
      const paths = new RegExp(
        `(?<![\\w.])(?!${ours}(?:/|$))(${folders.map(([path]) => path).join("|")})(?=/|$|["\\s])`,
        "g",
      );
      text = text.replaceAll(paths, (path) => folders.find(([inside]) => inside === path)[1]);
    }
    for (const [found, host, port] of text.matchAll(/(?<![\w.-])([a-z][a-z0-9.-]*):(\d{2,5})\b/g))
      if (this.#hosts.has(host)) text = text.replaceAll(found, await this.address(host, Number(port)));
    return text;
  }

  /** Who asks at the same time gets the same. */
  #localPort(owner, port) {
    const key = `${owner}:${port}`;
    if (!this.#ports.has(key)) this.#ports.set(key, freePort());
    return this.#ports.get(key);
  }

  async #isReady({ owner, ready }, child) {
    if (child.isReady) return child.isReady();
    if (!ready) return child.process.exitCode === null;
    return isWell(`http://127.0.0.1:${await this.#localPort(owner, ready.port)}${ready.path}`);
  }
}

async function isWell(url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  return answer?.ok === true;
}

/** Whether a path of the container is none of those that are mounted. */
function isOutside(text, folders) {
  return /^\/(data|etc|var)\b/.test(text) && !folders.some(([path]) => text.startsWith(path));
}

const givenPorts = new Set();

/**
 * A port that nobody listens on, nor gets for a connection to somebody else before the container listens: below those
 * that Linux gives by itself (32,768 and up), as is the one 10,000 above it, where SeaweedFS listens for gRPC.
 */
async function freePort() {
  for (;;) {
    const port = PORT_MIN + Math.floor(Math.random() * PORTS);
    if (givenPorts.has(port)) continue;
    givenPorts.add(port);
    if ((await isFree(port)) && (await isFree(port + GRPC_ABOVE))) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
