// docs/deploy.md, "Backup and restore", on the chart's containers: the tables rest while database, streams and bucket are
// copied, everything is lost, all three come back, and the lake goes on. Nothing is lost and nothing stands twice.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { startPods } from "./run-chart.mjs";

/** What writes tables: `stages` of docs/deploy.md. */
const RESTING = /^firn-(catalog-writer|aggregator|validator)-\d+$/;
const BUCKET = "lake";
const PREFIX = "warehouse/";

export async function backupDrill({ run, chart, objects, servers, operator, keys, root, programs }) {
  const kept = mkdtempSync(join(tmpdir(), "firn-backup-"));
  const sample = (name) => join(root, "samples", "health", `${name}.csv.gz`);
  const drill = { run, objects, operator, keys, programs, kept };
  try {
    const before = await countsOf(run, objects);
    await run.set.end((owner) => RESTING.test(owner));
    const meanwhile = await send(drill, sample("hourlySteps"));
    await backup(drill);
    await run.set.end(() => true);
    run.set.lose([...chart.services, ...servers]);

    for (const server of servers) await run.startedOrEnded(server);
    const isForeign = ({ image }) => !/(^|\/)firn:/.test(image);
    await run.startedForeign(chart.services.filter(isForeign), objects);
    await restore(drill);
    await startPods(run, { ...chart, services: chart.services.filter((one) => !isForeign(one)) }, objects);
    const again = await send(drill, sample("hourlyCalories"));
    const more = await send(drill, sample("weightLogInfo"));
    await run.firn(operator, "status", "--wait", "--timeout", "120");
    await run.firn(operator, "check", "health");
    await run.firn(operator, "verify", "health");
    const after = await countsOf(run, objects);
    const roundTrip = 1;
    const added = (name) => after[name] - before[name];
    const wanted = {
      received: meanwhile + again + more + roundTrip,
      stored: meanwhile + more + roundTrip,
      duplicates: again,
    };
    run.check(
      `after the restore: ${after.received} received, ${after.stored} stored, ${after.duplicates} duplicates; none lost or doubled`,
      Object.entries(wanted).every(([name, count]) => added(name) === count) && added("rejected") === 0,
      `${JSON.stringify(after)} after ${JSON.stringify(before)}, wanted more: ${JSON.stringify(wanted)}`,
    );
  } finally {
    rmSync(kept, { recursive: true, force: true });
  }
}

async function backup({ run, objects, operator, keys, programs, kept }) {
  const url = await databaseUrl(run, objects);
  shell(run, programs.postgres.dump, ["--format=custom", "--file", join(kept, "firn.dump"), url]);
  await run.firn(asBackup(operator, objects), "streams", "backup", join(kept, "streams"));
  await withBucket(run, keys, async (client) => {
    const names = await objectNames(client);
    for (const Key of names) {
      const file = join(kept, "bucket", Key);
      mkdirSync(dirname(file), { recursive: true });
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      writeFileSync(file, await Body.transformToByteArray());
    }
    run.check(`${names.length} objects of the bucket are copied`, names.length > 0, "none");
  });
}

async function restore({ run, objects, operator, keys, programs, kept }) {
  await run.firn(asBackup(operator, objects), "streams", "restore", join(kept, "streams"));
  const url = await databaseUrl(run, objects);
  shell(run, programs.postgres.restore, ["--clean", "--if-exists", "--dbname", url, join(kept, "firn.dump")]);
  await withBucket(run, keys, async (client) => {
    const folder = join(kept, "bucket");
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())) {
      const file = join(entry.parentPath ?? entry.path, entry.name);
      await client.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: relative(folder, file), Body: readFileSync(file) }),
      );
    }
  });
}

/** @returns how many samples were acknowledged */
async function send({ run, operator }, file) {
  const output = await run.firn(operator, "replay", file, "--no-resume", "--json");
  const [last] = output.split(/^(?=\{$)/m).slice(-1); // the log has the runs before it too
  return JSON.parse(last).samples;
}

function shell(run, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  const name = command.split("/").at(-1);
  run.check(`${name} ${args.slice(0, 2).join(" ")} ends with 0`, status === 0, error?.message ?? stdout + stderr);
}

/** The operator's command as the user of NATS that may copy streams, with the address that the chart's Secret has. */
function asBackup(operator, objects) {
  const { NATS_URL_FILE: _, ...env } = operator.env;
  const users = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === "firn-nats-users");
  return { ...operator, env: { ...env, NATS_URL: users.stringData.backup } };
}

async function databaseUrl(run, objects) {
  const { stringData } = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === "firn-postgresql");
  return `postgres://firn:${stringData.password}@${await run.set.address("firn-postgresql", 5432)}/firn`;
}

async function countsOf(run, objects) {
  const tokens = objects.find(({ kind, metadata }) => kind === "Secret" && metadata.name === "firn-tokens");
  const headers = { authorization: `Bearer ${tokens.stringData.token}` };
  const answer = await fetch(`http://${await run.set.address("firn-query", 4200)}/api/pipeline?wait_ms=20000`, {
    headers,
  });
  return (await answer.json()).datasets.health;
}

async function withBucket(run, { access, secret }, work) {
  const client = new S3Client({
    endpoint: `http://${await run.set.address("s3", 9000)}`,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: { accessKeyId: access, secretAccessKey: secret },
  });
  try {
    await work(client);
  } finally {
    client.destroy();
  }
}

async function objectNames(client) {
  const names = [];
  for (let token; ;) {
    const query = { Bucket: BUCKET, Prefix: PREFIX, ContinuationToken: token };
    const page = await client.send(new ListObjectsV2Command(query));
    names.push(...(page.Contents ?? []).map(({ Key }) => Key));
    token = page.NextContinuationToken;
    if (!token) return names;
  }
}
