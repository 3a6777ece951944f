// What a lake holds after a load of health samples (bench/load/health-samples.mjs), against what was sent.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { judgePayloads, matches, possibleCounts } from "./arrivals.mjs";

const root = join(import.meta.dirname, "..", "..");

/** What is wrong with the lake's counts. @param sentAgain how often each payload was sent again, by its index */
export function wrongCounts({ bodies, counts, load, sentAgain }) {
  const possible = possibleCounts(judgePayloads(bodies), sentAgain);
  const outcomes = counts.stored + counts.corrected + counts.duplicates + counts.rejected + counts.deleted;
  return [
    ...(matches(load.expected, possible[0]) ? [] : [`the load expects ${JSON.stringify(load.expected)}`]),
    ...(possible.some((expected) => matches(counts, expected))
      ? []
      : [`counts are ${JSON.stringify(counts)}, expected one of ${JSON.stringify(possible.slice(0, 5))}`]),
    ...(outcomes === counts.received ? [] : [`${counts.received} received, but ${outcomes} outcomes`]),
  ];
}

/**
 * Every row of raw against the latest content of each identity: those that are lost, there twice (or never sent), and
 * those with an earlier content, which a later correction should have replaced.
 */
export async function judgeRows({ dir, environment, load, users }) {
  const judged = startJudging(
    load,
    Array.from({ length: users }, (_, user) => user),
  );
  const script = [join(root, "tools", "run-ts.mjs"), join(root, "e2e", "support", "print-rows.ts"), dir];
  const reader = spawn(process.execPath, [...script, "health_data_raw", "user_id", "sample_id", "value"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment,
  });
  const ended = once(reader, "exit");
  for await (const line of createInterface({ input: reader.stdout })) judged.row(...JSON.parse(line));
  const [exitCode] = await ended;
  if (exitCode !== 0) throw new Error(`raw could not be read: exit code ${exitCode}`);
  return judged.end();
}

/** The same of what the query service says of some users. */
export async function judgeAnswers({ load, query, users, usersAsked }) {
  const asked = Array.from({ length: Math.min(usersAsked, users) }, (_, n) => Math.floor((n * users) / usersAsked));
  const judged = startJudging(load, asked);
  for (const user of asked)
    for (const row of await rowsOf(query, load.userName(user))) judged.row(row.user_id, row.sample_id, row.value);
  return judged.end();
}

/** All of it as lines. */
export const problemsOf = ({ lost, doubled, outdated }) => [
  ...lost.map((key) => `${key} is lost`),
  ...doubled.map((key) => `${key} is there twice, or never was`),
  ...outdated.map(({ key, value, expected }) => `${key} is ${value}, expected ${expected}`),
];

function startJudging(load, users) {
  const latest = new Map();
  for (const user of users)
    for (const { id, value } of load.latest(user)) latest.set(JSON.stringify([load.userName(user), id]), value);
  const [doubled, outdated] = [[], []];
  return {
    row(user, id, value) {
      const key = JSON.stringify([user, id]);
      const expected = latest.get(key);
      if (!latest.delete(key)) doubled.push(key);
      else if (value !== expected) outdated.push({ key, value, expected });
    },
    end: () => ({ lost: [...latest.keys()], doubled, outdated }),
  };
}

async function rowsOf(query, user) {
  const rows = [];
  let cursor;
  do {
    const parameters = new URLSearchParams({ user_id: user, limit: "10000", ...(cursor && { cursor }) });
    const answer = await fetch(`${query}/api/health/raw?${parameters}`);
    if (!answer.ok) throw new Error(`raw answered ${answer.status}: ${await answer.text()}`);
    const body = await answer.json();
    rows.push(...body.data);
    cursor = body.page.cursor;
  } while (cursor);
  return rows;
}

/** What `firn verify` finds wrong. */
export async function verifyLake({ dir, environment }) {
  const firn = join(root, "apps", "cli", "dist", "main.js");
  try {
    await promisify(execFile)(process.execPath, [firn, "verify", "--json", "--data-dir", dir], { env: environment });
    return [];
  } catch (error) {
    return [`firn verify: ${String(error.stdout || error.message).slice(0, 2000)}`];
  }
}
