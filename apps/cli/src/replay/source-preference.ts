import { appleTime, type AppleRecord } from "./apple-record.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const COVERED_SHARE = 0.5;

/**
 * Which of several sources that measured at the same time counts. A record is left out when at least half of its
 * minutes are covered by records of the same type from a source that stands earlier in the list; sources that are not
 * in the list come last and are equal. Coverage is kept by the minute, 180 bytes a day, type and listed source.
 */
export class SourcePreference {
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #covered = new Map<string, Map<number, Uint8Array>>();

  constructor(sources: readonly string[]) {
    this.#ranks = new Map(sources.map((source, rank) => [source, rank]));
  }

  /** First reading: every record of the file once. */
  observe(record: AppleRecord): void {
    const rank = this.#rankOf(record);
    const span = spanOf(record);
    if (rank >= this.#ranks.size || span === undefined) return;
    const days = this.#daysOf(record, rank);
    for (let minute = span.first; minute <= span.last; minute += 1) {
      const day = Math.floor(minute / DAY_MINUTES);
      const at = minute - day * DAY_MINUTES;
      let bits = days.get(day);
      if (bits === undefined) days.set(day, (bits = new Uint8Array(DAY_MINUTES / 8)));
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
    }
  }

  /** Second reading: false for a record that a better source stands for. */
  keeps(record: AppleRecord): boolean {
    const rank = this.#rankOf(record);
    const span = spanOf(record);
    if (rank === 0 || span === undefined) return true;
    let covered = 0;
    for (let minute = span.first; minute <= span.last; minute += 1) {
      if (this.#isCovered(record, rank, minute)) covered += 1;
    }
    return covered < (span.last - span.first + 1) * COVERED_SHARE;
  }

  #isCovered(record: AppleRecord, belowRank: number, minute: number): boolean {
    const day = Math.floor(minute / DAY_MINUTES);
    const at = minute - day * DAY_MINUTES;
    for (let rank = 0; rank < Math.min(belowRank, this.#ranks.size); rank += 1) {
      const bits = this.#covered.get(coverageKey(record, rank))?.get(day);
      if (bits !== undefined && ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0) return true;
    }
    return false;
  }

  #rankOf({ attributes }: AppleRecord): number {
    return this.#ranks.get(attributes["sourceName"] ?? "") ?? this.#ranks.size;
  }

  #daysOf(record: AppleRecord, rank: number): Map<number, Uint8Array> {
    const key = coverageKey(record, rank);
    let days = this.#covered.get(key);
    if (days === undefined) this.#covered.set(key, (days = new Map<number, Uint8Array>()));
    return days;
  }
}

function coverageKey({ attributes }: AppleRecord, rank: number): string {
  return `${rank} ${attributes["type"] ?? ""}`;
}

const SPAN_MINUTES_MAX = 8 * DAY_MINUTES;

/** Minutes since the epoch that a record touches, both inclusive; undefined when its times cannot be read. */
function spanOf({ attributes }: AppleRecord): { readonly first: number; readonly last: number } | undefined {
  const startMs = Date.parse(appleTime(attributes["startDate"])?.iso ?? "");
  const endMs = Date.parse(appleTime(attributes["endDate"])?.iso ?? "");
  if (Number.isNaN(startMs) || Number.isNaN(endMs) || endMs < startMs) return undefined;
  const first = Math.floor(startMs / MINUTE_MS);
  const last = Math.max(first, Math.ceil(endMs / MINUTE_MS) - 1);
  return last - first > SPAN_MINUTES_MAX ? undefined : { first, last };
}
