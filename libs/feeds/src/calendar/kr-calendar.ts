import { civilFromDays, dayOfWeek, daysFromCivil, parseDate } from "@firn/core";

const SATURDAY = 6;
const SUNDAY = 7;
const MS_PER_DAY = 86_400_000;

/** Holidays of the Korean calendar by lunar month and day. */
const SEOLLAL = { month: 1, day: 1 };
const BUDDHA = { month: 4, day: 8 };
const CHUSEOK = { month: 8, day: 15 };

/** Elections and other days that were ordered one by one, since 2010. */
const SINGLE_CLOSURES = [
  "2010-06-02",
  "2012-04-11",
  "2012-12-19",
  "2014-06-04",
  "2015-08-14",
  "2016-04-13",
  "2016-05-06",
  "2017-05-09",
  "2017-10-02",
  "2018-06-13",
  "2020-04-15",
  "2020-08-17",
  "2022-03-09",
  "2022-06-01",
  "2023-10-02",
  "2024-04-10",
  "2024-10-01",
  "2025-01-27",
  "2025-06-03",
  "2026-06-03",
] as const;

/**
 * Whether the Korea Exchange trades on a day (days since 1970-01-01): weekends, public holidays with their substitutes,
 * Labour Day and the last working day of the year. Lunar holidays come from the Korean calendar that Node has.
 */
export function isOpenInSeoul(day: number): boolean {
  if (dayOfWeek(day) >= SATURDAY) return false;
  const { year } = civilFromDays(day);
  return !holidays(year).has(day) && !SINGLE.has(day);
}

const SINGLE = new Set<number>(SINGLE_CLOSURES.map((text) => parseDate(text)!));
const known = new Map<number, ReadonlySet<number>>();

function holidays(year: number): ReadonlySet<number> {
  let found = known.get(year);
  if (found === undefined) {
    found = holidaysOf(year);
    known.set(year, found);
  }
  return found;
}

function holidaysOf(year: number): ReadonlySet<number> {
  const on = (month: number, day: number) => daysFromCivil(year, month, day);
  const seollal = lunarDay(year, SEOLLAL);
  const chuseok = lunarDay(year, CHUSEOK);
  const buddha = lunarDay(year, BUDDHA);
  const festivals = [seollal - 1, seollal, seollal + 1, chuseok - 1, chuseok, chuseok + 1];
  const national = [on(3, 1), on(8, 15), on(10, 3), ...(year >= 2013 ? [on(10, 9)] : [])];
  const all = new Set([on(1, 1), on(5, 1), on(5, 5), on(6, 6), buddha, on(12, 25), ...festivals, ...national]);
  // Substitutes: festivals for a Sunday and Children's Day for a weekend since 2014, national days since August 2021,
  // Buddha's birthday and Christmas since 2023.
  if (year >= 2014) {
    for (const festival of [festivals.slice(0, 3), festivals.slice(3)])
      if (festival.some((day) => dayOfWeek(day) === SUNDAY)) all.add(nextWorkingDay(festival[2]!, all));
    if (dayOfWeek(on(5, 5)) >= SATURDAY || on(5, 5) === buddha) all.add(nextWorkingDay(on(5, 5), all));
  }
  const substituted = [
    ...(year >= 2022 ? national : year === 2021 ? national.filter((day) => day >= on(8, 1)) : []),
    ...(year >= 2023 ? [buddha, on(12, 25)] : []),
  ];
  for (const day of substituted) if (dayOfWeek(day) >= SATURDAY) all.add(nextWorkingDay(day, all));
  let last = on(12, 31);
  while (dayOfWeek(last) >= SATURDAY || all.has(last)) last--;
  all.add(last);
  return all;
}

function nextWorkingDay(after: number, taken: ReadonlySet<number>): number {
  let day = after + 1;
  while (dayOfWeek(day) >= SATURDAY || taken.has(day)) day++;
  return day;
}

const LUNAR = new Intl.DateTimeFormat("en-u-ca-dangi", { month: "numeric", day: "numeric", timeZone: "UTC" });

/** The day of a year that has this month and day in the Korean lunar calendar; leap months do not count. */
function lunarDay(year: number, wanted: { readonly month: number; readonly day: number }): number {
  const first = daysFromCivil(year, 1, 1) + (wanted.month - 1) * 28;
  for (let day = first; day < first + 120; day++) {
    const parts = LUNAR.formatToParts(new Date(day * MS_PER_DAY));
    const text = (type: string) => parts.find((part) => part.type === type)?.value;
    if (text("month") === String(wanted.month) && text("day") === String(wanted.day)) return day;
  }
  throw new Error(`the Korean calendar has no ${wanted.month}/${wanted.day} in ${year}`);
}
