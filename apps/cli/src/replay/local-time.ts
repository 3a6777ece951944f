/** A wall-clock time without a zone. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Zones change their offset at multiples of a quarter of an hour. */
const CHANGE_GRID_MS = 15 * MINUTE_MS;
const CACHED_OFFSETS_MAX = 100_000;

/** Gives local times of one zone their offset from UTC, by the time-zone database of the running Node. */
export class LocalZone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  /** @throws RangeError when the time-zone database does not know the name. */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      era: "short",
    });
  }

  /**
   * ISO 8601 with the zone's offset at that local time. A time that the clock shows twice is its first showing; one
   * that the clock skips keeps the offset from before the change.
   */
  iso(local: LocalTime): string {
    const wallMs = asUtcMs(local);
    const before = this.#offsetMs(wallMs - DAY_MS);
    const after = this.#offsetMs(wallMs + DAY_MS);
    const offset = this.#offsetMs(wallMs - before) === before || this.#offsetMs(wallMs - after) !== after ? before : after;
    return `${formatLocal(local)}${formatOffset(Math.round(offset / MINUTE_MS))}`;
  }

  #offsetMs(instantMs: number): number {
    const slot = Math.floor(instantMs / CHANGE_GRID_MS);
    const known = this.#offsets.get(slot);
    if (known !== undefined) return known;
    if (this.#offsets.size >= CACHED_OFFSETS_MAX) this.#offsets.clear();
    const parts: Record<string, number> = {};
    const slotMs = slot * CHANGE_GRID_MS;
    for (const part of this.#format.formatToParts(slotMs)) parts[part.type] = Number(part.value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const offset = asUtcMs({ year, month, day, hour, minute, second }) - slotMs;
    this.#offsets.set(slot, offset);
    return offset;
  }
}

/** True for a calendar date and time that exist (30 February does not). */
export function isRealTime(local: LocalTime): boolean {
  const date = new Date(asUtcMs(local));
  return (
    date.getUTCFullYear() === local.year &&
    date.getUTCMonth() + 1 === local.month &&
    date.getUTCDate() === local.day &&
    date.getUTCHours() === local.hour &&
    date.getUTCMinutes() === local.minute &&
    date.getUTCSeconds() === local.second
  );
}

/** The local time `seconds` later on the wall clock. */
export function plusSeconds(local: LocalTime, seconds: number): LocalTime {
  const date = new Date(asUtcMs(local) + seconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** YYYY-MM-DDTHH:MM:SS */
export function formatLocal(local: LocalTime): string {
  const date = `${pad(local.year, 4)}-${pad(local.month, 2)}-${pad(local.day, 2)}`;
  return `${date}T${pad(local.hour, 2)}:${pad(local.minute, 2)}:${pad(local.second, 2)}`;
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
}

function asUtcMs(local: LocalTime): number {
  return Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
