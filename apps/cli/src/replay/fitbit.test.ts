import { readdirSync } from "node:fs";
import { join } from "node:path";

import { findZone, type Zone } from "@firn/core";
import { describe, expect, it } from "vitest";

import { numberOrText, parseFitbitTime } from "./fitbit-kinds.ts";
import { openInputFile } from "./input-file.ts";
import { zonedIso } from "./local-time.ts";
import { openSource } from "./open-source.ts";
import type { ReplaySample } from "./payload-line.ts";
import { fitbitKindOf, fitbitSource, type FitbitOptions } from "./fitbit-csv.ts";

const SAMPLES = join(import.meta.dirname, "../../../../samples/health");

interface Payload {
  readonly userId: string;
  readonly deviceId: string;
  readonly samples: readonly ReplaySample[];
}

async function payloadsOf(text: string, options: FitbitOptions = {}): Promise<Payload[]> {
  const kind = fitbitKindOf(text.split("\n", 1)[0] ?? "");
  if (kind === undefined) throw new Error("no kind");
  const payloads: Payload[] = [];
  for await (const lines of fitbitSource(kind, () => chunksOf(text), options).payloads()) {
    for (const { bytes } of lines) payloads.push(JSON.parse(Buffer.from(bytes).toString()) as Payload);
  }
  return payloads;
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

const samplesOf = async (text: string, options?: FitbitOptions) =>
  (await payloadsOf(text, options)).flatMap((payload) => payload.samples);

describe("Fitbit CSV", () => {
  it("makes an hour of steps a sample of that local hour", async () => {
    const [payload] = await payloadsOf("Id,ActivityDay,ActivityHour,StepTotal\n1503960366,4/12/2016,0:00:00,373\n");
    expect(payload).toEqual({
      deviceId: "fitbit-1503960366",
      userId: "1503960366",
      samples: [
        {
          id: "fitbit-stepCount-1503960366-2016-04-12T00:00:00",
          type: "stepCount",
          value: 373,
          unit: "count",
          startDate: "2016-04-12T00:00:00-04:00",
          endDate: "2016-04-12T01:00:00-04:00",
          sourceBundle: "com.fitbit.FitbitMobile",
          timezone: "America/New_York",
        },
      ],
    });
  });

  it("reads calories, heart rate, sleep and weight", async () => {
    const [calories] = await samplesOf("Id,Activity Day,ActivityHour,Calories\n7,4/12/2016,23:00:00,81\n");
    expect(calories).toMatchObject({ type: "totalEnergyBurned", unit: "kcal", endDate: "2016-04-13T00:00:00-04:00" });
    const [beat] = await samplesOf("Id,Time,Value\n7,4/1/2016 12:54:05 AM,91\n");
    expect(beat).toMatchObject({ type: "heartRate", value: 91, startDate: "2016-04-01T00:54:05-04:00" });
    const night = await samplesOf(
      "Id,SleepDay,TotalSleepRecords,TotalMinutesAsleep,TotalTimeInBed\n7,4/12/2016,1,327,346\n",
    );
    expect(night.map(({ type, value, unit }) => [type, value, unit])).toEqual([
      ["sleepAnalysis", 327, "min"],
      ["timeInBed", 346, "min"],
    ]);
    const weight = await samplesOf(
      "Id,Date,WeightKg,WeightPounds,Fat,BMI,IsManualReport,LogId\n7,5/2/2016,52.6,115.9,22,22.65,TRUE,1.4E+12\n8,5/3/2016,60,132,,21,FALSE,1\n",
    );
    expect(weight.map(({ type, value, unit }) => [type, value, unit])).toEqual([
      ["bodyMass", 52.6, "kg"],
      ["bodyMassIndex", 22.65, "count"],
      ["bodyFatPercentage", 22, "%"],
      ["bodyMass", 60, "kg"],
      ["bodyMassIndex", 21, "count"],
    ]);
    expect(weight[0]?.metadata).toEqual({ HKWasUserEntered: "1" });
  });

  it("sends what it cannot read as it came, so that it ends as a dead letter", async () => {
    const [sample] = await samplesOf("Id,ActivityHour,StepTotal\n7,yesterday,many\n");
    expect(sample).toMatchObject({ value: "many", startDate: "yesterday", id: "fitbit-stepCount-7-yesterday" });
    expect(await samplesOf("Id,ActivityHour,StepTotal\n7\n")).toHaveLength(1);
  });

  it("cuts payloads at a change of the user and at 500 samples", async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => `${i < 700 ? 1 : 2},4/12/2016 1:00:00 AM,${i}`);
    const payloads = await payloadsOf(["Id,ActivityHour,StepTotal", ...rows].join("\n"));
    expect(payloads.map(({ userId, samples }) => [userId, samples.length])).toEqual([
      ["1", 500],
      ["1", 200],
      ["2", 500],
    ]);
  });

  it("takes user, device and zone from the options", async () => {
    const [payload] = await payloadsOf("Id,ActivityHour,StepTotal\n7,4/12/2016 1:00:00 AM,5\n", {
      user: "anna",
      device: "band",
      timezone: "Asia/Kolkata",
    });
    expect(payload).toMatchObject({ userId: "anna", deviceId: "band" });
    expect(payload?.samples[0]?.startDate).toBe("2016-04-12T01:00:00+05:30");
  });

  it("reads the shipped sample whole: the rows of the source, a payload line for each bad record", async () => {
    const counts: Record<string, number> = {};
    for (const name of readdirSync(SAMPLES).filter((each) => /\.(csv\.gz|ndjson)$/.test(each))) {
      const source = openSource(await openInputFile(join(SAMPLES, name)), {});
      counts[name] = 0;
      for await (const lines of source.payloads()) for (const line of lines) counts[name] += line.samples;
    }
    expect(counts).toEqual({
      "hourlySteps.csv.gz": 22_099,
      "hourlyCalories.csv.gz": 22_099,
      "heartrateSeconds.csv.gz": 26_084,
      "sleepDay.csv.gz": 2 * 413,
      "weightLogInfo.csv.gz": 2 * 67 + 2,
      "bad-records.ndjson": 24,
    });
  });
});

describe("parseFitbitTime", () => {
  it("reads both spellings and refuses times that do not exist", () => {
    expect(parseFitbitTime("4/12/2016 12:00:00 AM")?.hour).toBe(0);
    expect(parseFitbitTime("4/12/2016 12:00:00 PM")?.hour).toBe(12);
    expect(parseFitbitTime("4/12/2016 23:00:00")?.hour).toBe(23);
    for (const wrong of ["2/30/2016", "4/12/2016 24:00:00", "4/12/2016 13:00:00 PM", "2016-04-12", ""]) {
      expect(parseFitbitTime(wrong)).toBeUndefined();
    }
  });
});

describe("numberOrText", () => {
  it("takes decimal numbers only", () => {
    expect(["12", "-1.5", "1e3", ".5"].map(numberOrText)).toEqual([12, -1.5, 1000, 0.5]);
    expect(["0x10", "NaN", "1,5", " "].map(numberOrText)).toEqual(["0x10", "NaN", "1,5", " "]);
  });
});

describe("zonedIso", () => {
  const at = (zone: string, month: number, day: number, hour: number) =>
    zonedIso({ year: 2016, month, day, hour, minute: 30, second: 0 }, findZone(zone) as Zone);

  it("gives the offset of the zone at that local time", () => {
    expect(at("America/New_York", 1, 10, 8)).toBe("2016-01-10T08:30:00-05:00");
    expect(at("America/New_York", 7, 10, 8)).toBe("2016-07-10T08:30:00-04:00");
  });

  it("takes the first of two equal times and the offset before a gap", () => {
    expect(at("America/New_York", 11, 6, 1)).toBe("2016-11-06T01:30:00-04:00");
    expect(at("America/New_York", 3, 13, 2)).toBe("2016-03-13T02:30:00-05:00");
    expect(at("America/New_York", 3, 13, 3)).toBe("2016-03-13T03:30:00-04:00");
  });
});
