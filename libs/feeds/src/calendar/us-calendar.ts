import { civilFromDays, dayOfWeek, daysFromCivil, daysInMonth } from "@firn/core";

import { easterSunday } from "./easter.ts";

const SATURDAY = 6;
const SUNDAY = 7;
const MONDAY = 1;
const THURSDAY = 4;

/**
 * Days on which the New York Stock Exchange was shut without a rule: mourning, storms, attacks (since 1985). Days since
 * 1970-01-01 follow from the dates.
 */
const SINGLE_CLOSURES = [
  "1985-09-27",
  "1994-04-27",
  "2001-09-11",
  "2001-09-12",
  "2001-09-13",
  "2001-09-14",
  "2004-06-11",
  "2007-01-02",
  "2012-10-29",
  "2012-10-30",
  "2018-12-05",
  "2025-01-09",
] as const;

/** Whether the New York Stock Exchange trades on a day (days since 1970-01-01): its rules since 1972. */
export function isOpenInNewYork(day: number): boolean {
  if (dayOfWeek(day) >= SATURDAY) return false;
  const { year } = civilFromDays(day);
  return !holidays(year).has(day) && !SINGLE.has(day);
}

const SINGLE = new Set(
  SINGLE_CLOSURES.map((text) =>
    daysFromCivil(Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8))),
  ),
);

const known = new Map<number, ReadonlySet<number>>();

function holidays(year: number): ReadonlySet<number> {
  let found = known.get(year);
  if (found === undefined) {
    found = new Set(rules(year));
    known.set(year, found);
  }
  return found;
}

function rules(year: number): number[] {
  const days = [
    newYear(year),
    nthWeekday(year, 2, MONDAY, 3),
    easterSunday(year) - 2,
    lastMonday(year, 5),
    observed(daysFromCivil(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    nthWeekday(year, 11, THURSDAY, 4),
    observed(daysFromCivil(year, 12, 25)),
  ];
  if (year >= 1998) days.push(nthWeekday(year, 1, MONDAY, 3));
  if (year >= 2022) days.push(observed(daysFromCivil(year, 6, 19)));
  return days;
}

/** A Sunday is kept on Monday; a Saturday not at all, because the year's books close on the Friday before. */
function newYear(year: number): number {
  const day = daysFromCivil(year, 1, 1);
  return dayOfWeek(day) === SUNDAY ? day + 1 : day;
}

function observed(day: number): number {
  const weekday = dayOfWeek(day);
  if (weekday === SATURDAY) return day - 1;
  return weekday === SUNDAY ? day + 1 : day;
}

function nthWeekday(year: number, month: number, weekday: number, n: number): number {
  const first = daysFromCivil(year, month, 1);
  return first + ((weekday - dayOfWeek(first) + 7) % 7) + (n - 1) * 7;
}

function lastMonday(year: number, month: number): number {
  const last = daysFromCivil(year, month, daysInMonth(year, month));
  return last - ((dayOfWeek(last) - MONDAY + 7) % 7);
}
