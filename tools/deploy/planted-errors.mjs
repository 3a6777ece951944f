// One error for each check of file-checks.mjs, which must find it: `from` is replaced by `to` in a copy of the files.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const CHART = "deploy/helm/firn";
const PLANTED = [
  { check: "helm lint", file: `${CHART}/values-laptop.yaml`, from: "lake:", to: "laek:" },
  { check: "helm template", file: `${CHART}/templates/jobs.yaml`, from: "{{- end }}", to: "" },
  {
    check: "Kubernetes schemas",
    file: `${CHART}/templates/stages.yaml`,
    from: "terminationGracePeriodSeconds:",
    to: "terminationGracePeriod:",
  },
  {
    check: "ServiceMonitor and PrometheusRule",
    file: `${CHART}/templates/monitoring.yaml`,
    from: "interval: {{ .interval }}",
    to: "intervall: {{ .interval }}",
  },
  {
    check: "kube-score",
    file: `${CHART}/templates/_pods.tpl`,
    from: "readOnlyRootFilesystem: true",
    to: "readOnlyRootFilesystem: false",
  },
  {
    check: "Service, port and claim names",
    file: `${CHART}/templates/stages.yaml`,
    from: "targetPort: http, appProtocol",
    to: "targetPort: web, appProtocol",
  },
  {
    check: "upgrade from earlier charts",
    file: `${CHART}/charts/nats/templates/nats.yaml`,
    from: "podManagementPolicy: Parallel",
    to: "podManagementPolicy: OrderedReady",
  },
  {
    check: "variants of the chart",
    file: `${CHART}/templates/_pods.tpl`,
    from: "secretName: {{ $mount.secret | quote }}",
    to: "secretName: {{ $mount.secret }}",
  },
  { check: "hadolint", file: "deploy/Dockerfile", from: "USER 1000:1000", to: "RUN cd /tmp && sudo true" },
  { check: "compose schema", file: "docker-compose.yml", from: "stop_grace_period:", to: "stop_grace:" },
  { check: "compose references", file: "docker-compose.yml", from: "      setup: *done", to: "      set-up: *done" },
  { check: "promtool rules", file: "deploy/alerts/firn.yaml", from: "sum(rate(", to: "sum(rat(" },
  {
    check: "promtool tests of rules",
    file: "deploy/alerts/firn.yaml",
    from: 'up{job="firn"} == 0',
    to: 'up{job="firn"} == 2',
  },
  {
    check: "Grafana's provisioning",
    file: "deploy/grafana/datasources/prometheus.yaml",
    from: "prometheus:9090",
    to: "prometheus:9091",
  },
  { check: "Grafana's provisioning", file: "deploy/grafana/dashboards/firn.yaml", from: "folder:", to: "foldr:" },
  { check: "Grafana's provisioning", file: "docker-compose.yml", from: "GF_SECURITY_ADMIN_", to: "GF_ADMIN_" },
  { check: "dashboards", file: "deploy/dashboards/lakes.json", from: "$table", to: "$tabel" },
  { check: "dashboards", file: "deploy/dashboards/pipeline.json", from: '"x": 8', to: '"x": 7' },
  { check: "versions", file: `${CHART}/Chart.yaml`, from: 'appVersion: "', to: 'appVersion: "9.' },
];
const COPIED = ["deploy", "docker-compose.yml", "package.json", "docs/runbooks"];

/** @returns {{ name: string, found: boolean }[]} one for each planted error, and one for a check that has none */
export function plantErrors(root, checks) {
  const outcomes = PLANTED.map(({ check, file, from, to }) => {
    const name = `${check} finds ${to.trim() || "a missing end"} in ${file}`;
    const { run } = checks.find((one) => one.name === check);
    const text = readFileSync(join(root, file), "utf8");
    // The same copy without the error is judged too: what it finds there is not the error's doing.
    const found = withCopy(root, (copy) => {
      writeFileSync(join(copy, file), text.replace(from, to));
      const problems = run(copy).length;
      writeFileSync(join(copy, file), text);
      return text.includes(from) && problems > 0 && run(copy).length === 0;
    });
    return { name, found };
  });
  const covered = new Set(PLANTED.map(({ check }) => check));
  const bare = checks
    .filter(({ name }) => !covered.has(name))
    .map(({ name }) => ({ name: `${name}: no planted error`, found: false }));
  return [...outcomes, ...bare];
}

function withCopy(root, judge) {
  const copy = mkdtempSync(join(tmpdir(), "firn-planted-"));
  try {
    for (const path of COPIED) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(root, path), join(copy, path), { recursive: true, verbatimSymlinks: true });
    }
    return judge(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
