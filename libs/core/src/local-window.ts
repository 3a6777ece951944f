import type { Zone } from "./time-zone.ts";

/** Instants in microseconds; the end is exclusive. */
export interface InstantWindow {
  readonly startUs: number;
  readonly endUs: number;
}

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
/** No zone was ever farther than this from UTC (Manila before 1844: −15:56). */
const OFFSET_US_MAX = 18 * HOUR_US;

/**
 * When the local dates from `firstDay` to `lastDay` (days since the epoch, inclusive) are in the zone: from the first
 * instant of the first date to the end of the last instant of the last one. A date that starts inside a clock change
 * starts at the change; one that is partly repeated ends after its repetition; one that the zone skipped (30 December
 * 2011 in Apia) is the empty window at the skip.
 */
export function localWindow(zone: Zone, firstDay: number, lastDay: number = firstDay): InstantWindow {
  const first = dateWindow(zone, firstDay);
  const last = lastDay === firstDay ? first : dateWindow(zone, lastDay);
  return { startUs: first.startUs, endUs: last.endUs };
}

function dateWindow(zone: Zone, day: number): InstantWindow {
  const fromUs = day * DAY_US - OFFSET_US_MAX;
  const toUs = (day + 1) * DAY_US + OFFSET_US_MAX;
  const bounds = [fromUs, ...zone.changesBetween(fromUs, toUs), toUs];
  let startUs = Number.NaN;
  let endUs = Number.NaN;
  let skippedAtUs = Number.NaN;
  for (let i = 0; i + 1 < bounds.length; i++) {
    const segmentStartUs = bounds[i]!;
    const segmentEndUs = bounds[i + 1]!;
    const offsetUs = zone.offsetUsAt(segmentStartUs);
    const from = Math.max(segmentStartUs, day * DAY_US - offsetUs);
    const to = Math.min(segmentEndUs, (day + 1) * DAY_US - offsetUs);
    if (from < to) {
      if (Number.isNaN(startUs)) startUs = from;
      endUs = to;
    }
    if (Number.isNaN(skippedAtUs) && segmentStartUs + offsetUs >= (day + 1) * DAY_US) skippedAtUs = segmentStartUs;
  }
  return Number.isNaN(startUs) ? { startUs: skippedAtUs, endUs: skippedAtUs } : { startUs, endUs };
}
