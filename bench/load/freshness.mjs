// Freshness under a live load: how long after it is sent a sample shows in raw and in its day.
import { setTimeout as sleep } from "node:timers/promises";
import { makeLoad } from "./health-samples.mjs";
import { jsonRequest, sendInOrder } from "./sender.mjs";

/** Few probes, asked seldom: polling must not be the load. The figures are that coarse. */
const probeEveryMs = 1_000;
const pollEveryMs = 50;
const probeLimitMs = 30_000;

const quantile = (values, q) =>
  Math.round([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? NaN);

/** @param rate samples a second, in payloads of 100, of the last 24 hours, of 5,000 users */
export async function measureFreshness(endpoints, { rate, seconds, users = 5_000 }) {
  const url = `${endpoints.ingest}/v1/ingest/health`;
  const load = makeLoad({ samples: rate * seconds, users, days: 1, endMs: Date.now(), seed: 77, prefix: "l" });
  const requests = [...load.payloads()].map((payload) => jsonRequest(url, payload.body));
  const raw = [];
  const daily = [];
  const probes = [];
  const stop = new AbortController();
  const started = performance.now();
  const payloadsPerSecond = rate / 100;
  let next = 0;
  const send = async () => {
    while (next < requests.length && !stop.signal.aborted) {
      const mine = next++;
      const dueMs = started + (mine / payloadsPerSecond) * 1000;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      await sendInOrder(url, [requests[mine]]);
    }
  };
  const senders = [send(), send(), send(), send()];
  let number = 0;
  while (performance.now() - started < seconds * 1000) {
    probes.push(probe(endpoints, url, number++, raw, daily, started));
    await sleep(probeEveryMs);
  }
  await Promise.all(senders);
  await Promise.all(probes);
  return {
    probes: number,
    achieved: Math.round((requests.length * 100) / ((performance.now() - started) / 1000)),
    raw: { p50: quantile(raw, 0.5), p95: quantile(raw, 0.95) },
    daily: { p50: quantile(daily, 0.5), p95: quantile(daily, 0.95) },
  };
}

async function probe(endpoints, url, number, raw, daily, started) {
  const user = `probe-${process.pid}-${Math.round(started)}-${number}`;
  const start = new Date(Date.now() - 60_000).toISOString();
  const sample = { id: "1", type: "heartRate", value: 61, unit: "count/min", startDate: start, endDate: start };
  const sentMs = performance.now();
  await sendInOrder(url, [jsonRequest(url, JSON.stringify({ deviceId: "d", userId: user, samples: [sample] }))]);
  const visible = async (question) => {
    while (performance.now() - sentMs < probeLimitMs) {
      const answer = await fetch(`${endpoints.query}/api/health/${question}`);
      const body = await answer.json();
      if (body.data?.length > 0) return performance.now() - sentMs;
      await sleep(pollEveryMs);
    }
    return probeLimitMs;
  };
  const day = start.slice(0, 10);
  const window = `start_time=${encodeURIComponent(new Date(Date.now() - 3_600_000).toISOString())}&end_time=${encodeURIComponent(new Date(Date.now() + 3_600_000).toISOString())}`;
  raw.push(await visible(`raw?user_id=${user}&data_type=heartRate&${window}`));
  daily.push(await visible(`daily?user_id=${user}&data_type=heartRate&start_date=${day}&end_date=${day}`));
}
