// What can be said of the files under deploy/ and of docker-compose.yml without running them. Each check gives the
// problems that it finds, as texts; none means that all is well.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { upgradeProblems } from "./chart-upgrade.mjs";
import { REFUSED, VARIANTS } from "./chart-variants.mjs";
import { dashboardProblems, grafanaProblems } from "./grafana-files.mjs";
import { crdProblems } from "./monitoring-objects.mjs";

const KUBERNETES = "1.36";
export const VALUES_FILES = ["values.yaml", "values-laptop.yaml", "values-small.yaml", "values-production.yaml"];

/**
 * What kube-score asks for and the chart does otherwise: user 1000 is the image's, IfNotPresent goes with pinned tags,
 * spread constraints stand for anti-affinity, one replica is a choice of the values, CPU is shared without a limit.
 */
const SCORE_IGNORED = [
  "container-security-context-user-group-id",
  "container-image-pull-policy",
  "deployment-has-host-podantiaffinity",
  "statefulset-has-host-podantiaffinity",
  "deployment-replicas",
];

/** @returns {{ name: string, run: (root: string) => string[] }[]} */
export function fileChecks(tools) {
  return [...renderedChecks(tools), ...otherChecks(tools)];
}

/** Of the chart with each of its values files. */
function renderedChecks(tools) {
  const perValues = (name, run) => ({
    name,
    run: (root) => VALUES_FILES.flatMap((values) => run(root, values).map((problem) => `${values}: ${problem}`)),
  });
  return [
    perValues("helm lint", (root, values) => {
      const args = [
        "lint",
        "--strict",
        "--quiet",
        "--kube-version",
        `${KUBERNETES}.0`,
        "-f",
        join(chartOf(root), values),
      ];
      return outcome(tools.helm, [...args, chartOf(root)]);
    }),
    perValues("helm template", (root, values) => {
      const { problem } = render(tools, root, values);
      return problem ? [problem] : [];
    }),
    perValues("Kubernetes schemas", (root, values) =>
      withRendered(tools, root, values, (file) =>
        outcome(tools.kubernetesValidate, ["--strict", "-k", KUBERNETES, file]),
      ),
    ),
    perValues("ServiceMonitor and PrometheusRule", (root, values) =>
      withRendered(tools, root, values, (file) => crdProblems(documents(readFileSync(file, "utf8")))),
    ),
    perValues("kube-score", (root, values) =>
      withRendered(tools, root, values, (file) => {
        const ignored = SCORE_IGNORED.flatMap((test) => ["--ignore-test", test]);
        const args = ["score", "--kubernetes-version", `v${KUBERNETES}`, "--ignore-container-cpu-limit", ...ignored];
        const { stdout } = spawnSync(tools.kubeScore, [...args, "-o", "ci", file], { encoding: "utf8" });
        return stdout.split("\n").filter((line) => /^\[(CRITICAL|WARNING)\]/.test(line));
      }),
    ),
    perValues("Service, port and claim names", (root, values) =>
      withRendered(tools, root, values, (file) => danglingNames(documents(readFileSync(file, "utf8")))),
    ),
  ];
}

function otherChecks(tools) {
  return [
    {
      name: "upgrade from earlier charts",
      run: (root) => upgradeProblems(root, (values) => render(tools, root, values).text ?? ""),
    },
    { name: "variants of the chart", run: (root) => variantProblems(tools, root) },
    { name: "hadolint", run: (root) => outcome(tools.hadolint, [join(root, "deploy", "Dockerfile")]) },
    {
      name: "compose schema",
      run: (root) => outcome(tools.checkJsonschema, ["--builtin-schema", "vendor.compose-spec", composeOf(root)]),
    },
    {
      name: "compose references",
      run: (root) => composeProblems(parse(readFileSync(composeOf(root), "utf8"), { merge: true })),
    },
    {
      name: "promtool rules",
      run: (root) => outcome(tools.promtool, ["check", "rules", join(root, "deploy", "alerts", "firn.yaml")]),
    },
    {
      name: "promtool tests of rules",
      run: (root) => outcome(tools.promtool, ["test", "rules", join(root, "deploy", "alerts", "firn.test.yaml")]),
    },
    { name: "Grafana's provisioning", run: grafanaProblems },
    { name: "dashboards", run: dashboardProblems },
    { name: "versions", run: versionProblems },
  ];
}

export const chartOf = (root) => join(root, "deploy", "helm", "firn");
export const composeOf = (root) => join(root, "docker-compose.yml");

export function render(tools, root, values, more = []) {
  const args = [
    "template",
    "firn",
    chartOf(root),
    "-f",
    join(chartOf(root), values),
    "--kube-version",
    `${KUBERNETES}.0`,
  ];
  const { status, stdout, stderr } = spawnSync(tools.helm, [...args, ...more], {
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return status === 0 ? { text: stdout } : { problem: stderr.trim().split("\n").slice(-6).join(" ") };
}

export const documents = (text) =>
  parseAllDocuments(text)
    .map((document) => document.toJSON())
    .filter((object) => object?.kind);

function withRendered(tools, root, values, judge, more = []) {
  const { text, problem } = render(tools, root, values, more);
  if (problem) return [problem];
  const folder = mkdtempSync(join(tmpdir(), "firn-rendered-"));
  try {
    const file = join(folder, "rendered.yaml");
    writeFileSync(file, text);
    return judge(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function variantProblems(tools, root) {
  const accepted = Object.entries(VARIANTS).flatMap(([name, set]) =>
    withRendered(
      tools,
      root,
      "values.yaml",
      (file) => [
        ...outcome(tools.kubernetesValidate, ["--strict", "-k", KUBERNETES, file]),
        ...danglingNames(documents(readFileSync(file, "utf8"))),
      ],
      ["--set", set],
    ).map((problem) => `${name}: ${problem}`),
  );
  const refused = Object.entries(REFUSED).flatMap(([name, [set, says]]) => {
    const { problem } = render(tools, root, "values.yaml", ["--set", set]);
    return problem?.includes(says) ? [] : [`${name}: ${problem ?? "was taken"}`];
  });
  return [...accepted, ...refused];
}

/** Nothing when the command ends with 0, else what it printed. */
function outcome(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return [];
  return [error?.message ?? `${stdout}\n${stderr}`.trim()];
}

/** Names that lead nowhere: claims, config maps, service accounts, ports of probes, and selectors without pods. */
function danglingNames(objects) {
  const names = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  const pods = objects.flatMap((object) => podsOf(object).map((pod) => ({ ...pod, owner: object })));
  const problems = [];
  const needs = (owner, kind, name) =>
    names.has(`${kind}/${name}`) || problems.push(`${owner.kind} ${owner.metadata.name}: no ${kind} ${name}`);
  for (const { owner, spec } of pods) {
    const account = spec.serviceAccountName;
    if (account && account !== "default") needs(owner, "ServiceAccount", account);
    const volumes = [
      ...(spec.volumes ?? []),
      ...(owner.spec.volumeClaimTemplates ?? []).map((claim) => claim.metadata),
    ];
    for (const volume of spec.volumes ?? []) {
      if (volume.persistentVolumeClaim) needs(owner, "PersistentVolumeClaim", volume.persistentVolumeClaim.claimName);
      if (volume.configMap) needs(owner, "ConfigMap", volume.configMap.name);
    }
    for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
      for (const { configMapRef } of container.envFrom ?? []) needs(owner, "ConfigMap", configMapRef.name);
      for (const { name } of container.volumeMounts ?? [])
        if (!volumes.some((volume) => volume.name === name)) problems.push(`${container.name}: no volume ${name}`);
      for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
        const port = (container[probe]?.httpGet ?? container[probe]?.tcpSocket)?.port;
        const known = (container.ports ?? []).some(
          ({ name, containerPort }) => port === name || port === containerPort,
        );
        if (port !== undefined && !known)
          problems.push(`${container.name}: ${probe} asks for a port ${port} that is not there`);
      }
    }
  }
  for (const { kind, metadata, spec } of objects.filter(({ kind }) => kind === "Service")) {
    const chosen = pods.filter(({ labels }) =>
      Object.entries(spec.selector).every(([key, value]) => labels[key] === value),
    );
    if (chosen.length === 0) problems.push(`${kind} ${metadata.name} selects no pod`);
    for (const { port, targetPort } of spec.ports)
      if (
        !chosen.some((pod) =>
          pod.spec.containers.some(({ ports = [] }) => ports.some((own) => own.name === targetPort)),
        )
      )
        problems.push(`${kind} ${metadata.name}: port ${port} leads to ${targetPort}, which no pod has`);
  }
  return problems;
}

function podsOf({ kind, metadata, spec }) {
  const template = kind === "Pod" ? { metadata, spec } : (spec?.jobTemplate?.spec ?? spec)?.template;
  return template?.spec?.containers ? [{ labels: template.metadata.labels ?? {}, spec: template.spec }] : [];
}

/** What the schema does not see: unknown services and volumes, profiles that leave a needed service out. */
function composeProblems({ services, volumes }) {
  const problems = [];
  for (const [name, service] of Object.entries(services)) {
    for (const [other, { condition, required = true }] of Object.entries(service.depends_on ?? {})) {
      const target = services[other];
      if (!target) problems.push(`${name} depends on ${other}, which is not there`);
      else if (condition === "service_healthy" && !target.healthcheck)
        problems.push(`${name} waits for the health of ${other}, which has no check`);
      else if (required && service.profiles.some((profile) => !target.profiles.includes(profile)))
        problems.push(`${name} needs ${other}, which is not in all of its profiles`);
    }
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(":");
      if (!source.startsWith(".") && !(source in volumes)) problems.push(`${name}: no volume ${source}`);
    }
    if (!service.profiles?.length) problems.push(`${name} has no profile`);
    if (!service.image.includes(":")) problems.push(`${name}: the image has no tag`);
  }
  return problems;
}

/** Chart and image carry the version of package.json; every alert has its page. */
function versionProblems(root) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const chart = parse(readFileSync(join(chartOf(root), "Chart.yaml"), "utf8"));
  const problems = [];
  for (const key of ["version", "appVersion"])
    if (chart[key] !== version) problems.push(`Chart.yaml: ${key} is ${chart[key]}, package.json has ${version}`);
  if (!readFileSync(composeOf(root), "utf8").includes(`firn:${version}`))
    problems.push(`docker-compose.yml: no image firn:${version}`);
  const pages = new Set(readdirSync(join(root, "docs", "runbooks")));
  const { groups } = parse(readFileSync(join(root, "deploy", "alerts", "firn.yaml"), "utf8"));
  for (const { alert, annotations } of groups.flatMap(({ rules }) => rules).filter((rule) => rule.alert)) {
    const url = annotations?.runbook_url ?? "";
    if (!url.includes("/docs/runbooks/") || !pages.has(basename(url))) problems.push(`${alert}: no page at ${url}`);
  }
  return problems;
}
