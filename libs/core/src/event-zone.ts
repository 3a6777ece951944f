import { OFFSET_MINUTES_MAX } from "./instant.ts";
import { fixedZone, type Zone } from "./time-zone.ts";

/** What a row says of its event's zone (`ZoneColumns`); of a name that is none, undefined. */
export interface EventZoneParts {
  readonly measured: Zone | undefined;
  readonly named: Zone | undefined;
  /** Minutes east of UTC; null where the row has none. */
  readonly offsetMinutes: number | null;
}

/**
 * The zone of an event: that of its measurement, else the one that was sent, else the offset, else the lake's. What is
 * no zone is passed over: rows that came by the lake's own doors were refused for it, those of other engines are there.
 */
export function eventZone({ measured, named, offsetMinutes }: EventZoneParts, defaultZone: Zone): Zone {
  if (measured !== undefined) return measured;
  if (named !== undefined) return named;
  const isOffset = offsetMinutes !== null && Math.abs(offsetMinutes) <= OFFSET_MINUTES_MAX;
  return isOffset ? fixedZone(offsetMinutes) : defaultZone;
}
