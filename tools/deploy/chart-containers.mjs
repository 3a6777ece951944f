// The containers of a rendered chart, as container-set.mjs starts them.

/**
 * @typedef {object} Container
 * @property {string} owner its pod: containers of one owner share volumes
 * @property {string} name
 * @property {string} image
 * @property {string[]} args
 * @property {Record<string, string>} env
 * @property {Record<string, string>} [settings] variables that all containers have, also where they need them not
 * @property {Record<string, { files?: Record<string, string>, shared?: string }>} mounts path inside → what lies there:
 *   files with their text, a folder shared by name, or an empty folder of the owner's
 * @property {{ port: number, path?: string }} [ready] what must answer before others start
 */

/**
 * Every pod of every stage: as many as its replicas, or its autoscaler's least.
 * @returns {{ hosts: Map<string, { owner: string, ports: Map<number, number> }>, inits, services, jobs, tests }}
 */
export function chartContainers(objects) {
  const of = (...kinds) => objects.filter(({ kind }) => kinds.includes(kind));
  const named = (kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name);
  const world = { named };
  const stages = of("Deployment", "StatefulSet").flatMap((stage) => podsOf(stage, of("HorizontalPodAutoscaler")));
  return {
    hosts: hostsOf(of("Service"), stages),
    inits: stages.flatMap((stage) => containersOf(world, stage, stage.spec.template.spec, "initContainers")),
    services: stages.flatMap((stage) => containersOf(world, stage, stage.spec.template.spec, "containers")),
    setups: of("Job").flatMap((job) =>
      ["initContainers", "containers"].flatMap((list) => containersOf(world, job, job.spec.template.spec, list)),
    ),
    jobs: of("CronJob").flatMap((job) =>
      containersOf(world, job, job.spec.jobTemplate.spec.template.spec, "containers"),
    ),
    tests: of("Pod").flatMap((pod) => containersOf(world, pod, pod.spec, "containers")),
  };
}

/** One for each pod, called as a StatefulSet calls its own. */
function podsOf(stage, scalers) {
  const { name } = stage.metadata;
  const scaler = scalers.find(({ spec }) => spec.scaleTargetRef.name === name);
  const replicas = stage.spec.replicas ?? scaler?.spec.minReplicas ?? 1;
  return Array.from({ length: replicas }, (_, n) => ({
    ...stage,
    metadata: { ...stage.metadata, name: `${name}-${n}` },
  }));
}

/** A Service leads to the first of its pods here; one without an address of its own names each of them. */
function hostsOf(services, stages) {
  const hosts = services.flatMap(({ metadata, spec }) => {
    const chosen = stages.filter(({ spec: { template } }) =>
      Object.entries(spec.selector).every(([key, value]) => template.metadata.labels[key] === value),
    );
    const known = chosen[0].spec.template.spec.containers.flatMap(({ ports = [] }) => ports);
    const inside = (target) => known.find(({ name }) => name === target).containerPort;
    const ports = new Map(spec.ports.map((p) => [p.port, inside(p.targetPort)]));
    if (spec.clusterIP !== "None") return [[metadata.name, { owner: chosen[0].metadata.name, ports }]];
    return chosen.map(({ metadata: { name } }) => [`${name}.${metadata.name}`, { owner: name, ports }]);
  });
  return new Map(hosts);
}

function containersOf(world, owner, pod, list) {
  return (pod[list] ?? []).map((container) => ({
    owner: owner.metadata.name,
    name: container.name,
    image: container.image,
    args: container.args ?? [],
    ...environmentOf(world, owner, container),
    mounts: Object.fromEntries(
      container.volumeMounts.map(({ name, mountPath }) => [mountPath, mountOf(world, owner, pod, name)]),
    ),
    ready: readinessOf(container),
  }));
}

function environmentOf({ named }, owner, { env = [], envFrom = [] }) {
  const maps = envFrom.map(({ configMapRef }) => named("ConfigMap", configMapRef.name).data);
  const fields = { "metadata.name": owner.metadata.name };
  const own = env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom.fieldRef.fieldPath]]);
  return { settings: Object.assign({}, ...maps), env: Object.fromEntries(own) };
}

function mountOf({ named }, owner, pod, name) {
  const volume = (pod.volumes ?? []).find((candidate) => candidate.name === name);
  if (volume?.configMap) return { files: named("ConfigMap", volume.configMap.name).data };
  if (volume?.persistentVolumeClaim) return { shared: volume.persistentVolumeClaim.claimName };
  if (!volume?.secret) return {};
  const secret = named("Secret", volume.secret.secretName);
  if (!secret) throw new Error(`${owner.metadata.name} mounts Secret ${volume.secret.secretName}, which nobody gave`);
  const { items } = volume.secret;
  if (!items) return { files: secret.stringData };
  return { files: Object.fromEntries(items.map(({ key, path }) => [path, secret.stringData[key]])) };
}

function readinessOf({ readinessProbe, ports = [] }) {
  const asked = readinessProbe?.httpGet;
  if (!asked) return undefined;
  return { path: asked.path, port: ports.find(({ name }) => name === asked.port)?.containerPort ?? asked.port };
}
