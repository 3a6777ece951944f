// What Kubernetes does not let anybody change: an upgrade of the chart that changes it fails half-way, or loses a volume.
//   node tools/deploy/chart-upgrade.mjs --write VERSION HELM    keeps what the chart of this folder has, as VERSION's
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const VALUES_FILES = ["values.yaml", "values-laptop.yaml", "values-small.yaml", "values-production.yaml"];
/** Of a StatefulSet all but these is fixed for good. */
const STATEFUL_CHANGEABLE = [
  "replicas",
  "template",
  "updateStrategy",
  "minReadySeconds",
  "ordinals",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
];
const KINDS = {
  StatefulSet: ({ spec }) =>
    Object.fromEntries(Object.entries(spec).filter(([key]) => !STATEFUL_CHANGEABLE.includes(key))),
  Deployment: ({ spec }) => ({ selector: spec.selector }),
  PersistentVolumeClaim: ({ spec }) => ({ ...spec, resources: undefined }),
  Service: ({ spec }) => ({ clusterIP: spec.clusterIP }),
  // A change of its type means that it is made anew.
  Secret: ({ type }) => ({ type }),
};
/** What holds data: an upgrade must not take it away. */
const KEEPERS = ["StatefulSet", "PersistentVolumeClaim"];

const folderOf = (root) => join(root, "deploy", "helm", "upgrades");

/** @returns {Record<string, object>} by kind and name what cannot be changed; JSON has no undefined */
function fixedParts(rendered) {
  const objects = parseAllDocuments(rendered)
    .map((one) => one.toJS())
    .filter(Boolean);
  const fixed = objects.flatMap((object) => {
    const part = KINDS[object.kind]?.(object);
    return part ? [[`${object.kind} ${object.metadata.name}`, JSON.parse(JSON.stringify(part))]] : [];
  });
  return Object.fromEntries(fixed.sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @param render the manifest of a values file, as text @returns problems, of every earlier chart that is kept */
export function upgradeProblems(root, render) {
  return readdirSync(folderOf(root)).flatMap((file) => {
    const earlier = JSON.parse(readFileSync(join(folderOf(root), file), "utf8"));
    return Object.entries(earlier).flatMap(([values, before]) =>
      changes(before, fixedParts(render(values))).map((problem) => `from ${file} with ${values}: ${problem}`),
    );
  });
}

function changes(before, after) {
  return Object.entries(before).flatMap(([name, part]) => {
    const now = after[name];
    if (now === undefined) return KEEPERS.includes(name.split(" ")[0]) ? [`${name} is gone, and its data with it`] : [];
    return Object.keys({ ...part, ...now })
      .filter((key) => JSON.stringify(part[key]) !== JSON.stringify(now[key]))
      .map((key) => `${name}: ${key} was ${JSON.stringify(part[key])} and is ${JSON.stringify(now[key])}`);
  });
}

if (process.argv[2] === "--write") {
  const [version, helm] = process.argv.slice(3);
  const root = join(import.meta.dirname, "..", "..");
  const chart = process.env.CHART ?? join(root, "deploy", "helm", "firn");
  const all = VALUES_FILES.map((values) => {
    const args = ["template", "firn", chart, "--kube-version", "1.36.0", "-f", join(chart, values)];
    const { status, stdout, stderr } = spawnSync(helm, args, { encoding: "utf8", maxBuffer: 1e8 });
    if (status !== 0) throw new Error(stderr);
    return [values, fixedParts(stdout)];
  });
  writeFileSync(join(folderOf(root), `${version}.json`), `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}
