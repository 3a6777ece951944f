import { civilFromDays, firstOfMonth, isoWeekOf, lastOfMonth, mondayOf } from "./civil-date.ts";

/** A calendar period: its first and last day (both inclusive), the year it counts in and its number in that year. */
export interface Period {
  readonly firstDay: number;
  readonly lastDay: number;
  /** ISO week year for weeks. */
  readonly year: number;
  /** Day of month, ISO week or month. */
  readonly number: number;
}

/** The period that a local date (days since the epoch) falls in; weeks are ISO 8601. */
export function periodOf(kind: "day" | "week" | "month", localDate: number): Period {
  switch (kind) {
    case "day": {
      const { year, day } = civilFromDays(localDate);
      return { firstDay: localDate, lastDay: localDate, year, number: day };
    }
    case "week": {
      const { year, week } = isoWeekOf(localDate);
      const monday = mondayOf(localDate);
      return { firstDay: monday, lastDay: monday + 6, year, number: week };
    }
    case "month": {
      const { year, month } = civilFromDays(localDate);
      return { firstDay: firstOfMonth(localDate), lastDay: lastOfMonth(localDate), year, number: month };
    }
  }
}
