// Sends a load to a fleet through clients that try again, watches how the lake gets on, and judges it in the end.
import { setTimeout as sleep } from "node:timers/promises";
import { makeLoad } from "../../bench/load/health-samples.mjs";
import { connection, jsonRequest } from "../../bench/load/sender.mjs";
import { judgeAnswers, judgeRows, problemsOf, verifyLake, wrongCounts } from "./judge-lake.mjs";

const connections = 4;
const usersAsked = 5;
const lookMs = 200;
const settleLimitMs = 300_000;
const giveUpMs = 120_000;

export class FleetLoad {
  #fleet;
  #lanes = Array.from({ length: connections }, () => []);
  #sentAgain = new Map();
  #worstGapMs = 0;
  #questions = { answered: 0, failed: 0, triedAgain: 0 };
  #sending = true;
  /** The part of the load that may be sent by now, 0 to 1. */
  #released = 0;
  accepted = { requests: 0, records: 0 };
  failed = 0;

  constructor(fleet, { samples, users, seed }) {
    this.#fleet = fleet;
    this.users = users;
    this.load = makeLoad({ samples, users, endMs: Date.UTC(2026, 9, 1), seed, days: 30 });
    this.bodies = [...this.load.payloads()].map((payload) => payload.body);
    this.bodies.forEach((body, index) => this.#lanes[laneOf(body)].push({ body, index }));
  }

  /** How much of the load is accepted, 0 to 1. */
  get share() {
    return (this.accepted.requests + this.failed) / this.bodies.length;
  }

  /**
   * Until all is accepted: a user's payloads in order, in a time of `seconds` at least, a part of them at each of so many
   * steps, so that each step finds a load under way however slow the machine is.
   * @param step is called with the number of each step, one after another
   */
  async run({ seconds, steps, step }) {
    const watching = this.#watch();
    const asking = this.#ask();
    const lanes = this.#lanes.map((lane) => this.#send(lane, seconds));
    for (let number = 0; number < steps; number++) {
      this.#released = (number + 1) / (steps + 1);
      await step(number);
    }
    this.#released = 1;
    await Promise.all(lanes);
    const pipeline = await this.#settled();
    this.#sending = false;
    await Promise.all([watching, asking]);
    return pipeline.datasets.health;
  }

  async #send(lane, seconds) {
    let turn = 0;
    let open;
    for (const [at, { body, index }] of lane.entries()) {
      await sleep((seconds * 1000) / lane.length);
      while (at / lane.length >= this.#released) await sleep(20);
      const untilMs = performance.now() + giveUpMs;
      for (let isAccepted = false; !isAccepted;) {
        const urls = this.#fleet.urls("ingest");
        const url = urls[turn++ % Math.max(1, urls.length)];
        if (url !== undefined) {
          open = connection(`${url}/v1/ingest/health`);
          isAccepted = await this.#sendOnce(open, jsonRequest(`${url}/v1/ingest/health`, body));
          open.close();
        }
        if (isAccepted) this.#count(body);
        else if (performance.now() > untilMs) {
          this.failed++;
          break;
        } else {
          this.#sentAgain.set(index, (this.#sentAgain.get(index) ?? 0) + 1);
          await sleep(50);
        }
      }
    }
  }

  async #sendOnce(open, request) {
    try {
      const { status } = await open.send(request);
      if (![202, 429, 503].includes(status)) throw new Error(`ingest answered ${status}`, { cause: "status" });
      return status === 202;
    } catch (error) {
      if (error.cause === "status") throw error;
      return false;
    }
  }

  #count(body) {
    this.accepted.requests++;
    this.accepted.records += JSON.parse(body).samples.length;
  }

  /** The longest time in which something was accepted and not in the tables, and nothing came into them. */
  async #watch() {
    let [outcomes, sinceMs] = [0, performance.now()];
    while (this.#sending) {
      await sleep(lookMs);
      const accepted = this.accepted.records;
      const pipeline = await this.#pipeline(0);
      const counts = pipeline?.datasets?.health;
      const now = counts
        ? counts.stored + counts.corrected + counts.duplicates + counts.rejected + counts.deleted
        : outcomes;
      const nowMs = performance.now();
      if (now < accepted && now === outcomes) this.#worstGapMs = Math.max(this.#worstGapMs, nowMs - sinceMs);
      else sinceMs = nowMs;
      outcomes = now;
    }
  }

  /** Questions all the while, each asked again elsewhere when its process goes. */
  async #ask() {
    for (let turn = 0; this.#sending; turn++) {
      const user = this.load.userName(turn % this.users);
      const untilMs = performance.now() + giveUpMs;
      for (let tries = 0; ; tries++) {
        const answer = await this.#get(`/api/health/daily?user_id=${user}&data_type=stepCount`, turn + tries);
        if (answer) {
          this.#questions.answered++;
          break;
        }
        if (!this.#sending) return;
        if (performance.now() > untilMs) {
          this.#questions.failed++;
          break;
        }
        this.#questions.triedAgain++;
        await sleep(50);
      }
      await sleep(lookMs);
    }
  }

  async #get(path, turn) {
    const urls = this.#fleet.urls("query");
    if (urls.length === 0) return undefined;
    let answer;
    try {
      answer = await fetch(`${urls[turn % urls.length]}${path}`, { signal: AbortSignal.timeout(30_000) });
      if (answer.ok) return await answer.json();
    } catch {
      return undefined;
    }
    // Before the tables are there, and while a process drains, another one or a later try may know better.
    if (answer.status === 400) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return undefined;
  }

  #pipeline(waitMs, turn = Math.floor(performance.now())) {
    return this.#get(`/api/pipeline?wait_ms=${waitMs}`, turn);
  }

  async #settled() {
    const untilMs = performance.now() + settleLimitMs;
    for (;;) {
      const pipeline = await this.#pipeline(5_000);
      if (pipeline?.settled) return pipeline;
      if (performance.now() > untilMs) throw new Error(`not settled in time: ${JSON.stringify(pipeline)}`);
    }
  }

  /** Accepted, lost, doubled, worst gap; `problems` is empty when all is right. */
  async judge(counts, { dir, environment }) {
    const query = this.#fleet.urls("query")[0];
    const place = { dir, environment, load: this.load, users: this.users, query, usersAsked };
    const rows = await judgeRows(place);
    const answers = await judgeAnswers(place);
    return {
      accepted: this.accepted,
      refusedForGood: this.failed,
      sentAgain: [...this.#sentAgain.values()].reduce((sum, times) => sum + times, 0),
      lost: rows.lost.length,
      doubled: rows.doubled.length,
      outOfOrder: rows.outdated.length,
      worstGapMs: Math.round(this.#worstGapMs),
      questions: this.#questions,
      counts,
      problems: [
        ...wrongCounts({ bodies: this.bodies, counts, load: this.load, sentAgain: this.#sentAgain }),
        ...[rows, answers].flatMap(problemsOf),
        ...(await verifyLake(place)),
        ...(this.failed + this.#questions.failed > 0 ? ["a client gave up"] : []),
      ],
    };
  }
}

/** The report in the words of people. */
export function fleetSummary({ accepted, sentAgain, lost, doubled, outOfOrder, worstGapMs, questions, problems }) {
  return [
    `accepted ${accepted.records} records in ${accepted.requests} requests (${sentAgain} sent again)`,
    `lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}, worst gap ${(worstGapMs / 1000).toFixed(1)} s`,
    `questions ${questions.answered} answered, ${questions.failed} failed (${questions.triedAgain} asked again)`,
    ...(problems.length === 0 ? ["nothing is wrong"] : [`${problems.length} problems`, ...problems.slice(0, 20)]),
  ].join("\n");
}

function laneOf(body) {
  return Number(/"userId":"u(\d+)"/.exec(body.slice(0, 200))?.[1] ?? 0) % connections;
}
