import { shardOf } from "@firn/core";

import type { Refusal, SendResult } from "./ingest-session.ts";
import type { PayloadLine } from "./payload-line.ts";

const REQUEST_SAMPLES_MAX = 1000;
const REQUEST_BYTES_MAX = 1024 * 1024;
const WAITING_REQUESTS_MAX = 2;

export interface LaneTotals {
  readonly samples: number;
  readonly payloads: number;
  readonly requests: number;
  readonly refused: readonly Refusal[];
}

interface Numbered {
  readonly line: PayloadLine;
  readonly ordinal: number;
}

/**
 * Sends payloads in several lanes at once, one request at a time in each. A user's payloads share a lane and so keep
 * their order: a correction must not overtake what it corrects. Knows up to which payload everything has its answer.
 */
export class RequestLanes {
  readonly #lanes: Lane[];
  readonly #send: (lines: readonly PayloadLine[]) => Promise<SendResult>;
  readonly #onProgress: (answered: number) => void;
  readonly #first: number;
  #next: number;
  #failure: unknown;
  #totals = { samples: 0, payloads: 0, requests: 0, refused: [] as Refusal[] };

  /** @param firstOrdinal how many payloads of the file went before the first that will be added */
  constructor(
    lanes: number,
    firstOrdinal: number,
    send: (lines: readonly PayloadLine[]) => Promise<SendResult>,
    onProgress: (answered: number) => void,
  ) {
    this.#lanes = Array.from({ length: lanes }, () => new Lane());
    this.#first = firstOrdinal;
    this.#next = firstOrdinal;
    this.#send = send;
    this.#onProgress = onProgress;
  }

  get totals(): LaneTotals {
    return this.#totals;
  }

  /** Part of the added payloads that have their answer, 0 to 1. */
  get answeredShare(): number {
    const added = this.#next - this.#first;
    return added === 0 ? 1 : (this.#totals.payloads + this.#totals.refused.length) / added;
  }

  /** Every payload before this one, counted from 0 in file order, is accepted or refused for good. */
  get answered(): number {
    return Math.min(this.#next, ...this.#lanes.map((lane) => lane.firstOpen ?? this.#next));
  }

  /** Resolves when there is room for more. Rejects when a request failed for good. */
  async add(line: PayloadLine): Promise<void> {
    const lane = this.#laneOf(line.userId);
    if (!lane.fits(line)) await this.#flush(lane);
    lane.push({ line, ordinal: this.#next });
    this.#next += 1;
    if (lane.isFull) await this.#flush(lane);
  }

  /** Resolves when everything has its answer. */
  async finish(): Promise<void> {
    for (const lane of this.#lanes) await this.#flush(lane);
    await Promise.all(this.#lanes.map((lane) => lane.drained()));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #laneOf(userId: string | undefined): Lane {
    const index = userId === undefined ? 0 : shardOf(userId, this.#lanes.length);
    return this.#lanes[index] as Lane;
  }

  async #flush(lane: Lane): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await lane.flush(async (request) => {
      if (this.#failure !== undefined) return false;
      try {
        this.#count(await this.#send(request.map(({ line }) => line)));
        return true;
      } catch (error) {
        this.#failure ??= error;
        return false;
      } finally {
        this.#onProgress(this.answered);
      }
    });
  }

  #count(result: SendResult): void {
    this.#totals.samples += result.acceptedSamples;
    this.#totals.payloads += result.acceptedPayloads;
    this.#totals.requests += 1;
    this.#totals.refused.push(...result.refused);
  }
}

/** One request being filled, a few waiting or in flight. */
class Lane {
  #filling: Numbered[] = [];
  #samples = 0;
  #bytes = 0;
  readonly #open: Numbered[][] = [];
  #tail: Promise<void> = Promise.resolve();

  get isFull(): boolean {
    return this.#samples >= REQUEST_SAMPLES_MAX || this.#bytes >= REQUEST_BYTES_MAX;
  }

  /** The first payload here that has no answer yet. */
  get firstOpen(): number | undefined {
    return (this.#open[0] ?? this.#filling)[0]?.ordinal;
  }

  fits(line: PayloadLine): boolean {
    if (this.#filling.length === 0) return true;
    const bytes = this.#bytes + line.bytes.length;
    return this.#samples + line.samples <= REQUEST_SAMPLES_MAX && bytes <= REQUEST_BYTES_MAX;
  }

  push(numbered: Numbered): void {
    this.#filling.push(numbered);
    this.#samples += numbered.line.samples;
    this.#bytes += numbered.line.bytes.length;
  }

  /** Hands on what was filled; waits only while too much is waiting already. */
  async flush(send: (request: readonly Numbered[]) => Promise<boolean>): Promise<void> {
    if (this.#filling.length === 0) return;
    const request = this.#filling;
    this.#filling = [];
    this.#samples = 0;
    this.#bytes = 0;
    this.#open.push(request);
    const before = this.#tail;
    this.#tail = before.then(async () => {
      // A request that failed stays open: what it holds has no answer.
      if (await send(request)) this.#open.shift();
    });
    if (this.#open.length > WAITING_REQUESTS_MAX) await before;
  }

  drained(): Promise<void> {
    return this.#tail;
  }
}
