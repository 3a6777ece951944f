// Sends one sample to FIRN_INGEST_URL and reads it back from FIRN_QUERY_URL: exit 0 when it came back. Run by
// `helm test`; FIRN_TOKEN or the file FIRN_TOKEN_FILE holds a token, where the services ask for one.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const limitMs = 120_000;
const pauseMs = 500;
const { FIRN_INGEST_URL: ingest, FIRN_QUERY_URL: query, FIRN_TOKEN_FILE: tokenFile } = process.env;
const token = tokenFile ? readFileSync(tokenFile, "utf8").trim() : process.env.FIRN_TOKEN;
const headers = token ? { authorization: `Bearer ${token}` } : {};

const startDate = new Date().toISOString();
const userId = `round-trip-${process.pid}-${Date.now()}`;
const sample = { type: "HKQuantityTypeIdentifierStepCount", value: 42, unit: "count" };
const payload = {
  deviceId: "round-trip",
  userId,
  samples: [{ id: userId, ...sample, startDate, endDate: startDate, sourceName: "round-trip" }],
};

await send();
await comesBack();
console.log(`the sample of ${userId} came back`);

async function send() {
  const answer = await fetch(`${ingest}/v1/ingest/health`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(payload),
  });
  if (answer.status !== 202) fail(`ingest answered ${answer.status}: ${await answer.text()}`);
}

async function comesBack() {
  const deadline = Date.now() + limitMs;
  for (let last = "nothing"; ; await sleep(pauseMs)) {
    const answer = await fetch(`${query}/api/health/raw?user_id=${userId}`, { headers });
    last = await answer.text();
    if (answer.ok && JSON.parse(last).data.length === 1) return;
    if (Date.now() > deadline) fail(`the sample did not come back within ${limitMs / 1000} s: ${last}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
