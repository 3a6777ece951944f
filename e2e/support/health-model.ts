/**
 * What the tables must hold, computed the slow and obvious way: the latest content of each identity, and each window
 * folded from its samples. Knows nothing of the product but the names of columns; local dates come from Intl directly.
 */
export interface ModelSample {
  readonly id: string;
  readonly type: string;
  readonly value: number;
  readonly startMs: number;
  readonly zone?: string;
}

export interface ModelWindow {
  readonly user_id: string;
  readonly data_type: string;
  readonly period: string;
  readonly min_value: number;
  readonly max_value: number;
  readonly sum_value: number;
  readonly avg_value: number;
  readonly count: number;
  readonly stddev_value: number;
  readonly first_value: number;
  readonly last_value: number;
  readonly day_count: number;
  readonly daily_avg_of_avg: number;
  readonly timezone: string;
}

export class HealthModel {
  readonly #latest = new Map<string, ModelSample>();
  readonly counts = { received: 0, stored: 0, corrected: 0, duplicates: 0, deleted: 0, rejected: 0 };

  arrive(user: string, sample: ModelSample): void {
    const key = JSON.stringify([user, sample.id]);
    const known = this.#latest.get(key);
    this.counts.received++;
    if (!known) this.counts.stored++;
    else if (contentOf(known) === contentOf(sample)) {
      this.counts.duplicates++;
      return;
    } else this.counts.corrected++;
    this.#latest.set(key, sample);
  }

  remove(user: string, id: string): void {
    this.counts.received++;
    this.counts.deleted++;
    this.#latest.delete(JSON.stringify([user, id]));
  }

  samples(): { user: string; sample: ModelSample }[] {
    return [...this.#latest].map(([key, sample]) => ({ user: (JSON.parse(key) as [string, string])[0], sample }));
  }

  windows(period: "day" | "week" | "month"): Map<string, ModelWindow> {
    const groups = new Map<string, { user: string; sample: ModelSample; date: string }[]>();
    for (const { user, sample } of this.samples()) {
      const date = localDate(sample);
      const key = JSON.stringify([user, sample.type, periodStart(period, date)]);
      groups.set(key, [...(groups.get(key) ?? []), { user, sample, date }]);
    }
    return new Map([...groups].map(([key, members]) => [key, fold(key, members)]));
  }
}

function contentOf(sample: ModelSample): string {
  return JSON.stringify([sample.type, sample.value, sample.startMs, sample.zone ?? null]);
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function localDate(sample: ModelSample): string {
  const zone = sample.zone ?? "UTC";
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });
  formats.set(zone, format);
  return format.format(sample.startMs);
}

export function periodStart(period: "day" | "week" | "month", date: string): string {
  if (period === "day") return date;
  if (period === "month") return `${date.slice(0, 7)}-01`;
  const day = new Date(`${date}T00:00:00Z`);
  day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
  return day.toISOString().slice(0, 10);
}

function fold(key: string, members: readonly { sample: ModelSample; date: string }[]): ModelWindow {
  const [user_id, data_type, period] = JSON.parse(key) as [string, string, string];
  const samples = members
    .map((member) => member.sample)
    .sort((a, b) => a.startMs - b.startMs || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
  const values = samples.map((sample) => sample.value);
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  const byDay = new Map<string, number[]>();
  for (const { sample, date } of members) byDay.set(date, [...(byDay.get(date) ?? []), sample.value]);
  const dailyMeans = [...byDay.values()].map((day) => day.reduce((total, value) => total + value, 0) / day.length);
  return {
    user_id,
    data_type,
    period,
    min_value: Math.min(...values),
    max_value: Math.max(...values),
    sum_value: sum,
    avg_value: mean,
    count: values.length,
    stddev_value: Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length),
    first_value: values[0] ?? NaN,
    last_value: values.at(-1) ?? NaN,
    day_count: byDay.size,
    daily_avg_of_avg: dailyMeans.reduce((total, value) => total + value, 0) / dailyMeans.length,
    timezone: samples.at(-1)?.zone ?? "UTC",
  };
}
