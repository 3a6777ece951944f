import { civilFromDays, daysFromCivil, daysInMonth } from "./civil-date.ts";

/**
 * Instants as integer microseconds since 1970-01-01T00:00Z, exact in a double for the years that this reads.
 *
 * Text is ISO 8601 in the extended form with an offset: `YYYY-MM-DDTHH:MM[:SS[.f{1,9}]]` and `Z`, `±HH:MM`, `±HHMM` or
 * `±HH` (RFC 3339 is a part of it). The fraction is cut to microseconds. A leap second (`:60`) is taken where one can
 * be, at the end of a UTC day, and means the first second of the next, as in POSIX time.
 */
export const INSTANT_YEAR_MIN = 1700;
export const INSTANT_YEAR_MAX = 2249;
/** Farthest offset from UTC that an instant may be written with, minutes. */
export const OFFSET_MINUTES_MAX = 1080;

const US_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;

const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const COLON = 58;
const DOT = 46;
const COMMA = 44;
const UPPER_T = 84;
const UPPER_Z = 90;

/** Microseconds of the instant, or NaN when the text is none (see `explainInstant`). */
export function parseInstantUs(text: string): number {
  const length = text.length;
  if (length < 17 || length > 35) return Number.NaN;
  if (text.charCodeAt(4) !== MINUS || text.charCodeAt(7) !== MINUS) return Number.NaN;
  if (text.charCodeAt(10) !== UPPER_T || text.charCodeAt(13) !== COLON) return Number.NaN;
  const year = digits(text, 0) * 100 + digits(text, 2);
  const month = digits(text, 5);
  const day = digits(text, 8);
  const hour = digits(text, 11);
  const minute = digits(text, 14);
  // A part that is not two digits is NaN; comparisons with NaN are false, so the ranges are asked for positively.
  const calendar = year >= INSTANT_YEAR_MIN && year <= INSTANT_YEAR_MAX && month >= 1 && month <= 12 && day >= 1;
  if (!(calendar && hour <= 23 && minute <= 59)) return Number.NaN;
  if (day > 28 && day > daysInMonth(year, month)) return Number.NaN;

  let at = 16;
  let second = 0;
  let fractionUs = 0;
  if (text.charCodeAt(16) === COLON) {
    second = digits(text, 17);
    if (!(second <= 60)) return Number.NaN;
    at = 19;
    const mark = text.charCodeAt(19);
    if (mark === DOT || mark === COMMA) {
      at = endOfDigits(text, 20);
      if (at === 20 || at > 29) return Number.NaN;
      fractionUs = microseconds(text, 20, at);
    }
  }
  const offsetMinutes = parseOffset(text, at);
  if (offsetMinutes !== offsetMinutes) return Number.NaN;
  const seconds =
    daysFromCivil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + (minute - offsetMinutes) * 60 + second;
  if (second === 60 && seconds % SECONDS_PER_DAY !== 0) return Number.NaN;
  return seconds * US_PER_SECOND + fractionUs;
}

/** Two digits as a number, NaN when they are none. */
function digits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  if (tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9) return tens * 10 + ones;
  return Number.NaN;
}

function endOfDigits(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) >= ZERO && text.charCodeAt(at) <= ZERO + 9) at++;
  return at;
}

function microseconds(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < from + 6; i++) value = value * 10 + (i < to ? text.charCodeAt(i) - ZERO : 0);
  return value;
}

/** Minutes east of UTC of the offset that fills the rest of the text, NaN when there is none. */
function parseOffset(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  const rest = text.length - at;
  if (sign === UPPER_Z) return rest === 1 ? 0 : Number.NaN;
  if (sign !== PLUS && sign !== MINUS) return Number.NaN;
  const hours = digits(text, at + 1);
  let minutes = 0;
  if (rest === 6) minutes = text.charCodeAt(at + 3) === COLON ? digits(text, at + 4) : Number.NaN;
  else if (rest === 5) minutes = digits(text, at + 3);
  else if (rest !== 3) return Number.NaN;
  if (!(minutes <= 59)) return Number.NaN;
  const total = hours * 60 + minutes;
  if (!(total <= OFFSET_MINUTES_MAX)) return Number.NaN;
  return sign === MINUS ? -total : total;
}

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d+)?)?/;
const OFFSET = /(Z|[+-]\d{2}(:?\d{2})?)$/;

/** Why `parseInstantUs` takes no instant from this text, as the end of a sentence that begins with the field. */
export function explainInstant(text: string): string {
  const shape = SHAPE.exec(text);
  if (shape === null) return "is not an ISO 8601 instant (YYYY-MM-DDTHH:MM:SS with Z or ±HH:MM)";
  if (!OFFSET.test(text.slice(shape[0].length)) || text.length === shape[0].length) {
    return "has no valid offset: an instant ends with Z, ±HH:MM or ±HHMM";
  }
  if ((shape[2] ?? "").length > 10) return "has more than 9 digits in its fraction of a second";
  const year = Number(text.slice(0, 4));
  if (year < INSTANT_YEAR_MIN || year > INSTANT_YEAR_MAX) {
    return `lies outside the years ${INSTANT_YEAR_MIN}–${INSTANT_YEAR_MAX}`;
  }
  return "names no real date, time or offset";
}

/** ISO 8601 in UTC with `Z`; the fraction has 3 or 6 digits where it is not zero. */
export function formatInstantUs(us: number): string {
  const seconds = Math.floor(us / US_PER_SECOND);
  const fraction = us - seconds * US_PER_SECOND;
  const days = Math.floor(seconds / SECONDS_PER_DAY);
  const ofDay = seconds - days * SECONDS_PER_DAY;
  const { year, month, day } = civilFromDays(days);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const time = `${pad(Math.floor(ofDay / 3600), 2)}:${pad(Math.floor(ofDay / 60) % 60, 2)}:${pad(ofDay % 60, 2)}`;
  return `${date}T${time}${formatFraction(fraction)}Z`;
}

function formatFraction(us: number): string {
  if (us === 0) return "";
  return us % 1000 === 0 ? `.${pad(us / 1000, 3)}` : `.${pad(us, 6)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
