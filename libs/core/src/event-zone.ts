import { OFFSET_MINUTES_MAX } from "./instant.ts";
import { findZone, fixedZone, type Zone } from "./time-zone.ts";

/** What a row says of its event's zone (`ZoneColumns`), null where it says nothing. */
export interface EventZoneParts {
  readonly measured: string | null;
  readonly name: string | null;
  /** Minutes east of UTC. */
  readonly offsetMinutes: number | null;
}

/**
 * The zone of an event: that of its measurement, else the one that was sent, else the offset, else the lake's. What is
 * no zone is passed over: rows that came by the lake's own doors were refused for it, those of other engines are there.
 */
export function eventZone({ measured, name, offsetMinutes }: EventZoneParts, defaultZone: Zone): Zone {
  const named = (measured === null ? undefined : findZone(measured)) ?? (name === null ? undefined : findZone(name));
  if (named !== undefined) return named;
  const isOffset = offsetMinutes !== null && Math.abs(offsetMinutes) <= OFFSET_MINUTES_MAX;
  return isOffset ? fixedZone(offsetMinutes) : defaultZone;
}
