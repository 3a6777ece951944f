import { describe, expect, it } from "vitest";

import { appleSource, type AppleOptions } from "./apple-health.ts";
import { Occurrences } from "./occurrences.ts";
import type { ReplaySample } from "./payload-line.ts";

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout)*)>
<!ATTLIST HealthData locale CDATA #REQUIRED>
]>
<HealthData locale="en_US"><ExportDate value="2026-01-01 00:00:00 +0100"/><Me HKCharacteristicTypeIdentifierBloodType="x"/>`;

const record = (attributes: Record<string, string>, inside = "") => {
  const all = {
    sourceName: "Anna’s Watch",
    sourceVersion: "10.1",
    creationDate: "2024-03-01 08:16:00 +0100",
    startDate: "2024-03-01 08:15:00 +0100",
    endDate: "2024-03-01 08:20:00 +0100",
    ...attributes,
  };
  const text = Object.entries(all).map(([key, value]) => `${key}="${value}"`);
  return `<Record ${text.join(" ")}>${inside}</Record>`;
};
const steps = (attributes: Record<string, string> = {}, inside = "") =>
  record({ type: "HKQuantityTypeIdentifierStepCount", unit: "count", value: "7", ...attributes }, inside);

async function read(body: string, options: Partial<AppleOptions> = {}, end = "</HealthData>") {
  const bytes = Buffer.from(`${HEAD}${body}${end}`);
  // Cut in the middle of everything, of characters too.
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += 37) yield bytes.subarray(at, at + 37);
  }
  const source = appleSource(chunks, { user: "anna", ...options });
  const samples: ReplaySample[] = [];
  for await (const lines of source.payloads()) {
    for (const line of lines) {
      const payload = JSON.parse(Buffer.from(line.bytes).toString()) as { userId: string; samples: ReplaySample[] };
      expect(payload.userId).toBe("anna");
      samples.push(...payload.samples);
    }
  }
  return { samples, skipped: Object.fromEntries(source.skipped), problems: source.problems };
}

describe("Apple Health export", () => {
  it("makes a record a sample with its source, metadata and times", async () => {
    const { samples } = await read(steps({}, `<MetadataEntry key="HKTimeZone" value="Europe/Berlin"/>`));
    expect(samples).toEqual([
      {
        id: expect.stringMatching(/^apple-[0-9a-f]{32}-0$/) as string,
        type: "HKQuantityTypeIdentifierStepCount",
        value: 7,
        unit: "count",
        startDate: "2024-03-01T08:15:00+01:00",
        endDate: "2024-03-01T08:20:00+01:00",
        sourceBundle: "Anna’s Watch",
        metadata: { HKTimeZone: "Europe/Berlin" },
        createdAt: "2024-03-01T08:16:00+01:00",
        timezoneOffset: 60,
      },
    ]);
  });

  it("keeps the id when the value changes, and numbers records that are otherwise equal", async () => {
    const first = await read(steps({ value: "7" }) + steps({ value: "8" }) + steps({ sourceVersion: "10.2" }));
    const again = await read(steps({ value: "9" }) + steps({ value: "8" }) + steps({ sourceVersion: "10.2" }));
    const ids = first.samples.map(({ id }) => id);
    expect(again.samples.map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
    expect(ids[1]).toBe(ids[0]?.replace(/0$/, "1"));
  });

  it("counts records inside a correlation once, and reports what it leaves out", async () => {
    const pressure = record({ type: "HKQuantityTypeIdentifierBloodPressureSystolic", unit: "mmHg", value: "120" });
    const { samples, skipped } = await read(
      pressure +
        `<Correlation type="HKCorrelationTypeIdentifierBloodPressure"><MetadataEntry key="a" value="b"/>${pressure}</Correlation>` +
        `<Workout workoutActivityType="x"><MetadataEntry key="a" value="b"/></Workout><ActivitySummary/>` +
        record({ type: "HKCategoryTypeIdentifierHeadache", value: "HKCategoryValueSeverityMild" }),
    );
    expect(samples).toHaveLength(1);
    expect(samples[0]?.metadata).toBeUndefined();
    expect(skipped).toEqual({
      "Record inside Correlation (stands at top level too)": 1,
      Workout: 1,
      ActivitySummary: 1,
      "category without a number: HKCategoryTypeIdentifierHeadache": 1,
    });
  });

  it("marks percentages as fractions and takes the length of sleep, mindfulness and stand hours", async () => {
    const sleep = (value: string) => record({ type: "HKCategoryTypeIdentifierSleepAnalysis", value });
    const { samples } = await read(
      record({ type: "HKQuantityTypeIdentifierOxygenSaturation", unit: "%", value: "0.97" }) +
        sleep("HKCategoryValueSleepAnalysisInBed") +
        sleep("HKCategoryValueSleepAnalysisAsleepCore") +
        sleep("HKCategoryValueSleepAnalysisAwake") +
        record({ type: "HKCategoryTypeIdentifierMindfulSession", value: "HKCategoryValueNotApplicable" }) +
        record({ type: "HKCategoryTypeIdentifierAppleStandHour", value: "HKCategoryValueAppleStandHourIdle" }),
    );
    expect(samples.map(({ type, value, unit }) => [type, value, unit])).toEqual([
      ["HKQuantityTypeIdentifierOxygenSaturation", 0.97, "fraction"],
      ["timeInBed", 5, "min"],
      ["sleepAnalysis", 5, "min"],
      ["awakeTime", 5, "min"],
      ["mindfulMinutes", 5, "min"],
      ["standHours", 0, "count"],
    ]);
    expect(samples[2]?.metadata).toEqual({ HKCategoryValue: "HKCategoryValueSleepAnalysisAsleepCore" });
  });

  it("leaves out what a preferred source measured at the same time, whatever the order in the file", async () => {
    const minutes = (sourceName: string, from: string, to: string) =>
      steps({ sourceName, startDate: `2024-03-01 08:${from}:00 +0100`, endDate: `2024-03-01 08:${to}:00 +0100` });
    const body =
      minutes("phone", "00", "10") +
      minutes("phone", "20", "30") +
      minutes("scale", "00", "01") +
      minutes("watch", "02", "12");
    const all = await read(body);
    const best = await read(body, { preferSources: ["watch", "phone"] });
    expect(best.samples.map(({ sourceBundle }) => sourceBundle)).toEqual(["phone", "watch"]);
    expect(best.skipped).toEqual({ "less preferred source": 2 });
    // Ids do not hang on the options.
    expect(best.samples.map(({ id }) => id)).toEqual([all.samples[1]?.id, all.samples[3]?.id]);
  });

  it("takes --timezone where a record names no zone", async () => {
    const { samples } = await read(steps(), { timezone: "Asia/Tokyo" });
    expect(samples[0]).toMatchObject({ timezone: "Asia/Tokyo" });
    expect(samples[0]).not.toHaveProperty("timezoneOffset");
  });

  it("reads a file that is cut off as far as it goes and says so", async () => {
    const { samples, problems } = await read(steps() + steps() + `<Record type="HKQuan`, {}, "");
    expect(samples).toHaveLength(2);
    expect(problems.join()).toContain("not well-formed XML");
  });
});

describe("Occurrences", () => {
  it("counts how often a key came before, through growth", () => {
    const occurrences = new Occurrences();
    const keys = Array.from({ length: 50_000 }, (_, i) => [Math.imul(i, 2654435761) >>> 0, i] as const);
    for (const [high, low] of keys) expect(occurrences.next(high, low)).toBe(0);
    for (const [high, low] of keys) expect(occurrences.next(high, low)).toBe(1);
    expect(occurrences.next(keys[7]?.[0] ?? 0, 7)).toBe(2);
    expect(occurrences.next(0, 0)).toBe(2);
  });
});
