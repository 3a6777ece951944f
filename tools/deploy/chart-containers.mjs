// The containers of a rendered chart, as container-set.mjs starts them.

/**
 * @typedef {object} Container
 * @property {string} owner its pod: containers of one owner share volumes
 * @property {string} name
 * @property {string} image
 * @property {string[]} args
 * @property {Record<string, string>} env
 * @property {Record<string, { files?: Record<string, string>, shared?: string }>} mounts path inside → what lies there:
 *   files with their text, a folder shared by name, or an empty folder of the owner's
 * @property {{ port: number, path?: string }} [ready] what must answer before others start
 */

/** @returns {{ hosts: Map<string, { owner: string, ports: Map<number, number> }>, inits, services, jobs, tests }} */
export function chartContainers(objects) {
  const of = (...kinds) => objects.filter(({ kind }) => kinds.includes(kind));
  const named = (kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name);
  const world = { named };
  const stages = of("Deployment", "StatefulSet");
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

function hostsOf(services, stages) {
  return new Map(
    services.map(({ metadata, spec }) => {
      const stage = stages.find(({ spec: { template } }) =>
        Object.entries(spec.selector).every(([key, value]) => template.metadata.labels[key] === value),
      );
      const known = stage.spec.template.spec.containers.flatMap(({ ports = [] }) => ports);
      const inside = (target) => known.find(({ name }) => name === target).containerPort;
      return [
        metadata.name,
        { owner: stage.metadata.name, ports: new Map(spec.ports.map((p) => [p.port, inside(p.targetPort)])) },
      ];
    }),
  );
}

function containersOf(world, owner, pod, list) {
  return (pod[list] ?? []).map((container) => ({
    owner: owner.metadata.name,
    name: container.name,
    image: container.image,
    args: container.args ?? [],
    env: environmentOf(world, owner, container),
    mounts: Object.fromEntries(
      container.volumeMounts.map(({ name, mountPath }) => [mountPath, mountOf(world, owner, pod, name)]),
    ),
    ready: readinessOf(container),
  }));
}

function environmentOf({ named }, owner, { env = [], envFrom = [] }) {
  const maps = envFrom.map(({ configMapRef }) => named("ConfigMap", configMapRef.name).data);
  const fields = { "metadata.name": `${owner.metadata.name}-0` };
  const own = env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom.fieldRef.fieldPath]]);
  return { ...Object.assign({}, ...maps), ...Object.fromEntries(own) };
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
