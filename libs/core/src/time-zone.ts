import { daysFromCivil } from "./civil-date.ts";
import { TIME_ZONE_LINKS } from "./time-zone-links.ts";

/**
 * Time zones by one database, the one inside Intl (ICU): every local date of the product is computed here, once, so
 * that engines with other versions of the database cannot disagree about a day.
 *
 * A zone keeps its offsets in chunks of 32 days: one number where the offset does not change, else the list of
 * changes. Intl is asked once a day of a chunk that is used for the first time; the day of a change is bisected to the
 * second. (No zone changes twice within one day.)
 */
export interface Zone {
  /** IANA name, or `±HH:MM`. */
  readonly name: string;
  /** Microseconds east of UTC at an instant of the years 1700–2249. */
  offsetUsAt(instantUs: number): number;
  /** Days since 1970-01-01 of the calendar date there at the instant. */
  localDateAt(instantUs: number): number;
  /** Instants in (fromUs, toUs] at which the offset changes, ascending. */
  changesBetween(fromUs: number, toUs: number): readonly number[];
}

const US = 1_000_000;
const DAY_SECONDS = 86_400;
const DAY_US = DAY_SECONDS * US;
const CHUNK_DAYS = 32;
const CHUNK_SECONDS = CHUNK_DAYS * DAY_SECONDS;
const CHUNK_US = CHUNK_SECONDS * US;
const FIRST_CHUNK = Math.floor(daysFromCivil(1699, 12, 1) / CHUNK_DAYS);
const CHUNKS = Math.ceil(daysFromCivil(2250, 2, 1) / CHUNK_DAYS) - FIRST_CHUNK;
const NOT_ASKED = 0x7fffffff;
const CHANGES = 0x7ffffffe;

/** Offsets of a chunk that changes: `offsets[i]` (seconds) holds from `starts[i]` (µs) on. */
interface ChangingChunk {
  readonly starts: readonly number[];
  readonly offsets: readonly number[];
}

class DatabaseZone implements Zone {
  readonly name: string;
  readonly #chunks = new Int32Array(CHUNKS).fill(NOT_ASKED);
  readonly #changing = new Map<number, ChangingChunk>();

  constructor(name: string) {
    this.name = name;
  }

  offsetUsAt(instantUs: number): number {
    const chunk = Math.floor(instantUs / CHUNK_US) - FIRST_CHUNK;
    let offset = this.#chunks[chunk];
    if (offset === NOT_ASKED) offset = this.#ask(chunk);
    if (offset === undefined) throw new RangeError(`instant ${instantUs} µs lies outside the years 1700–2249`);
    return (offset === CHANGES ? this.#offsetWithin(chunk, instantUs) : offset) * US;
  }

  localDateAt(instantUs: number): number {
    return Math.floor((instantUs + this.offsetUsAt(instantUs)) / DAY_US);
  }

  changesBetween(fromUs: number, toUs: number): readonly number[] {
    const changes: number[] = [];
    let before = this.offsetUsAt(fromUs);
    const lastChunk = Math.floor(toUs / CHUNK_US);
    for (let chunk = Math.floor(fromUs / CHUNK_US); chunk <= lastChunk; chunk++) {
      const startUs = chunk * CHUNK_US;
      this.offsetUsAt(Math.min(Math.max(startUs, fromUs), toUs));
      for (const at of this.#changing.get(chunk - FIRST_CHUNK)?.starts ?? [startUs]) {
        if (at <= fromUs || at > toUs) continue;
        const after = this.offsetUsAt(at);
        if (after !== before) changes.push(at);
        before = after;
      }
    }
    return changes;
  }

  #offsetWithin(chunk: number, instantUs: number): number {
    const { starts, offsets } = this.#changing.get(chunk)!;
    let i = starts.length - 1;
    while (i > 0 && starts[i]! > instantUs) i--;
    return offsets[i]!;
  }

  #ask(chunk: number): number {
    const start = (chunk + FIRST_CHUNK) * CHUNK_SECONDS;
    const starts = [start * US];
    const offsets = [askIntl(this.name, start)];
    for (let day = 1; day <= CHUNK_DAYS; day++) {
      const end = start + day * DAY_SECONDS - (day === CHUNK_DAYS ? 1 : 0);
      const before = offsets[offsets.length - 1]!;
      const after = askIntl(this.name, end);
      if (after === before) continue;
      starts.push(bisectChange(this.name, end - DAY_SECONDS, end, before) * US);
      offsets.push(after);
    }
    const value = offsets.length === 1 ? offsets[0]! : CHANGES;
    if (value === CHANGES) this.#changing.set(chunk, { starts, offsets });
    this.#chunks[chunk] = value;
    return value;
  }
}

/** The first second in (low, high] whose offset is not `before`. */
function bisectChange(zone: string, low: number, high: number, before: number): number {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askIntl(zone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

const FORMATTERS_MAX = 64;
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Offset in seconds east of UTC at a whole second, as Intl formats it. */
function askIntl(zone: string, seconds: number): number {
  const match = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(formatterOf(zone).format(seconds * 1000));
  if (match === null) throw new Error(`Intl formats ${seconds} s in ${zone} in an unforeseen way`);
  const [month, day, year, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return daysFromCivil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second - seconds;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone);
  if (formatter !== undefined) return formatter;
  formatter = newFormatter(zone);
  // Each holds tens of kilobytes in ICU; which one goes hardly matters, it is only asked for new chunks.
  const [oldest] = formatters.keys();
  if (formatters.size >= FORMATTERS_MAX && oldest !== undefined) formatters.delete(oldest);
  formatters.set(zone, formatter);
  return formatter;
}

function newFormatter(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
}

class FixedZone implements Zone {
  readonly name: string;
  readonly #offsetUs: number;

  constructor(name: string, offsetMinutes: number) {
    this.name = name;
    this.#offsetUs = offsetMinutes * 60 * US;
  }

  offsetUsAt(): number {
    return this.#offsetUs;
  }

  localDateAt(instantUs: number): number {
    return Math.floor((instantUs + this.#offsetUs) / DAY_US);
  }

  changesBetween(): readonly number[] {
    return [];
  }
}

const zones = new Map<string, Zone>();
/** The zone that was found last: a payload's samples are mostly of one. */
let latest: Zone | undefined;

/** The zone with exactly this IANA name (zone or link, case and all), or undefined when the database knows none. */
export function findZone(name: string): Zone | undefined {
  if (latest?.name === name) return latest;
  const known = zones.get(name);
  if (known !== undefined) return (latest = known);
  // Only known names are kept, so that the map stays bounded whatever is asked for.
  if (!isZoneName(name)) return undefined;
  const zone = new DatabaseZone(name);
  zones.set(name, zone);
  return zone;
}

const ZONE_NAME_LENGTH_MAX = 64;

function isZoneName(name: string): boolean {
  // Newer versions of Intl also take offsets such as +05:30, which are no names.
  if (!/^[A-Za-z]/.test(name) || name.length > ZONE_NAME_LENGTH_MAX) return false;
  try {
    const { timeZone } = new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions();
    return timeZone === name || TIME_ZONE_LINKS.has(name);
  } catch {
    return false;
  }
}

const fixedZones = new Map<number, Zone>();

/** The zone with a fixed offset in whole minutes east of UTC within ±1080; its name is `±HH:MM`. */
export function fixedZone(offsetMinutes: number): Zone {
  let zone = fixedZones.get(offsetMinutes);
  if (zone === undefined) {
    if (!Number.isInteger(offsetMinutes) || Math.abs(offsetMinutes) > 1080) {
      throw new RangeError(`an offset is whole minutes within ±1080, not ${offsetMinutes}`);
    }
    zone = new FixedZone(fixedZoneName(offsetMinutes), offsetMinutes);
    fixedZones.set(offsetMinutes, zone);
  }
  return zone;
}

function fixedZoneName(offsetMinutes: number): string {
  const minutes = Math.abs(offsetMinutes);
  const pair = (value: number): string => String(value).padStart(2, "0");
  return `${offsetMinutes < 0 ? "-" : "+"}${pair(Math.floor(minutes / 60))}:${pair(minutes % 60)}`;
}

/** A zone by the name that the tables hold: an IANA name or `±HH:MM`. */
export function zoneByName(name: string): Zone | undefined {
  const match = /^([+-])(\d{2}):([0-5]\d)$/.exec(name);
  if (match === null) return findZone(name);
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return minutes > 1080 ? undefined : fixedZone(match[1] === "-" ? -minutes : minutes);
}

/** The rule that a name breaks by which `zoneByName` finds no zone; undefined when it finds one. */
export function explainZone(name: string): string | undefined {
  if (zoneByName(name) !== undefined) return undefined;
  return "must be an IANA time zone such as Asia/Seoul, or an offset such as +09:00";
}
