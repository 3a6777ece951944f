// The containers of docker-compose.yml with some of its profiles on, as container-set.mjs starts them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/**
 * @param dotenv what `.env` sets
 * @returns {{ hosts, containers }} containers in the order in which their dependencies let them start
 */
export function composeContainers(root, profiles, dotenv = {}) {
  const { services } = parse(readFileSync(join(root, "docker-compose.yml"), "utf8"), { merge: true });
  const chosen = Object.entries(services).filter(([, service]) =>
    service.profiles.some((name) => profiles.includes(name)),
  );
  const ordered = inOrder(Object.fromEntries(chosen));
  const hosts = ordered.map(([name]) => [name, { owner: name, ports: undefined }]);
  const containers = ordered.map(([name, service]) => containerOf(root, name, service, dotenv));
  return { hosts: new Map(hosts), containers };
}

/** `${NAME:-default}`, whose default may hold others. */
function interpolate(text, dotenv) {
  const innermost = /\$\{([A-Z0-9_]+):-((?:[^${}]|\$(?!\{))*)\}/g;
  for (let before; before !== text;) {
    before = text;
    text = text.replace(innermost, (_, name, otherwise) => dotenv[name] || otherwise);
  }
  return text;
}

function inOrder(services) {
  const ordered = new Map();
  const add = (name) => {
    if (ordered.has(name) || !(name in services)) return;
    Object.keys(services[name].depends_on ?? {}).forEach(add);
    ordered.set(name, services[name]);
  };
  Object.keys(services).forEach(add);
  return [...ordered];
}

function containerOf(root, name, service, dotenv) {
  const filled = (value) => interpolate(String(value), dotenv);
  const environment = Object.entries(service.environment ?? {}).map(([key, value]) => [key, filled(value)]);
  const mounts = (service.volumes ?? []).map((volume) => {
    const [source, path] = volume.split(":");
    return [path, source.startsWith(".") ? { from: join(root, source) } : { shared: source }];
  });
  const isFirn = service.build !== undefined;
  return {
    owner: name,
    name,
    needs: Object.keys(service.depends_on ?? {}),
    image: filled(service.image),
    entrypoint: service.entrypoint,
    args: (service.command ?? []).map(filled),
    published: publishedOf(service, filled),
    // The image declares /data a volume, and compose gives it /tmp.
    env: { ...(isFirn ? imageEnvironment(root) : {}), ...Object.fromEntries(environment) },
    mounts: { ...(isFirn ? { "/data": {}, "/tmp": {} } : {}), ...Object.fromEntries(mounts) },
    ends: service.restart === "no",
    ready: readinessOf(service),
  };
}

/** Ports of this machine → of the container. */
function publishedOf({ ports = [] }, filled) {
  return new Map(ports.map((text) => filled(text).split(":").slice(-2).map(Number)));
}

/** Where the health check looks: an address in its command, or our own check, which asks FIRN_PORT. */
function readinessOf({ healthcheck, environment }) {
  const command = (healthcheck?.test ?? []).join(" ");
  if (command.includes("healthcheck.mjs") && environment.FIRN_PORT)
    return { port: Number(environment.FIRN_PORT), path: "/health/ready" };
  const [, port, path] = /http:\/\/127\.0\.0\.1:(\d+)(\/\S*)/.exec(command) ?? [];
  return port && { port: Number(port), path };
}

/** The variables that the Dockerfile sets. */
export function imageEnvironment(root) {
  const text = readFileSync(join(root, "deploy", "Dockerfile"), "utf8")
    .split(/^FROM /m)
    .at(-1)
    .replaceAll("\\\n", " ");
  const lines = text.split("\n").filter((line) => line.startsWith("ENV "));
  return Object.fromEntries(
    lines.flatMap((line) => [...line.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, key, value]) => [key, value])),
  );
}
