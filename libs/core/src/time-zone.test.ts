import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatDate, parseDate } from "./civil-date.ts";
import { formatInstantUs, parseInstantUs } from "./instant.ts";
import { localWindow } from "./local-window.ts";
import { explainZone, findZone, fixedZone, zoneByName, type Zone } from "./time-zone.ts";

const ODD_ZONES = [
  "Africa/Casablanca",
  "Africa/Monrovia",
  "America/Caracas",
  "America/New_York",
  "America/Sao_Paulo",
  "America/St_Johns",
  "America/Vancouver",
  "Antarctica/Troll",
  "Asia/Gaza",
  "Asia/Kathmandu",
  "Asia/Kolkata",
  "Asia/Manila",
  "Asia/Pyongyang",
  "Asia/Seoul",
  "Asia/Tehran",
  "Australia/Lord_Howe",
  "Europe/Dublin",
  "Europe/London",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
  "UTC",
];

function zoneOf(name: string): Zone {
  const zone = findZone(name);
  if (zone === undefined) throw new Error(`no zone ${name}`);
  return zone;
}

function dateByIntl(zone: string, ms: number): string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return format.format(ms);
}

const instants = fc.integer({ min: Date.UTC(1900, 0, 1), max: Date.UTC(2199, 11, 31) });

describe("a zone", () => {
  it("gives the date that Intl formats, for odd zones and any instant", () => {
    fc.assert(
      fc.property(fc.constantFrom(...ODD_ZONES), instants, (name, ms) => {
        expect(formatDate(zoneOf(name).localDateAt(ms * 1000))).toBe(dateByIntl(name, ms));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the date that Intl formats, for every zone around its own midnights", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Intl.supportedValuesOf("timeZone")),
        fc.integer({ min: Date.UTC(1970, 0, 1) / 3_600_000, max: Date.UTC(2037, 0, 1) / 3_600_000 }),
        fc.integer({ min: -1, max: 1 }),
        (name, hours, seconds) => {
          const ms = hours * 3_600_000 + seconds * 1000;
          expect(formatDate(zoneOf(name).localDateAt(ms * 1000))).toBe(dateByIntl(name, ms));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("knows exact names and links only", () => {
    for (const name of [
      "Asia/Seoul",
      "Asia/Kolkata",
      "Asia/Calcutta",
      "US/Pacific",
      "Europe/Kyiv",
      "Etc/GMT-9",
      "UTC",
    ]) {
      expect(findZone(name)?.name).toBe(name);
    }
    const unknown = ["asia/seoul", "Mars/Phobos", "", "KST", "+09:00", "GMT+9", "Asia/Seoul ", "PST", "__proto__", "Z"];
    for (const name of unknown) expect(findZone(name), name).toBeUndefined();
  });

  it("knows fixed offsets by the name that tables hold", () => {
    expect(fixedZone(330).name).toBe("+05:30");
    expect(fixedZone(-210).name).toBe("-03:30");
    expect(fixedZone(0).name).toBe("+00:00");
    expect(zoneByName("-03:30")).toBe(fixedZone(-210));
    expect(zoneByName("+18:00")).toBe(fixedZone(1080));
    expect(zoneByName("+18:01")).toBeUndefined();
    expect(zoneByName("Asia/Tokyo")).toBe(findZone("Asia/Tokyo"));
    expect([explainZone("Asia/Tokyo"), explainZone("+9")]).toEqual([
      undefined,
      expect.stringContaining("such as +09:00"),
    ]);
    expect(() => fixedZone(1081)).toThrow(RangeError);
    expect(formatDate(fixedZone(-600).localDateAt(parseInstantUs("2024-01-01T09:59:59Z")))).toBe("2023-12-31");
  });

  it("puts Vancouver's night of 1 November 2026 where Intl puts it", () => {
    const instant = "2026-11-02T07:30:00Z";
    const date = formatDate(zoneOf("America/Vancouver").localDateAt(parseInstantUs(instant)));
    expect(date).toBe(dateByIntl("America/Vancouver", Date.parse(instant)));
  });
});

describe("a local window", () => {
  it.each([
    ["America/New_York", "2024-03-10", "2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z"],
    ["America/New_York", "2024-11-03", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"],
    ["Asia/Seoul", "2024-01-15", "2024-01-14T15:00:00Z", "2024-01-15T15:00:00Z"],
    ["Asia/Kolkata", "2024-01-15", "2024-01-14T18:30:00Z", "2024-01-15T18:30:00Z"],
    ["Australia/Lord_Howe", "2024-04-07", "2024-04-06T13:00:00Z", "2024-04-07T13:30:00Z"],
    // Midnight did not exist: clocks went from 23:59:59 to 01:00.
    ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"],
    // Clocks went back from 24:00 to 23:00: the last hour of the 17th came twice.
    ["America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z", "2018-02-18T03:00:00Z"],
    ["America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z", "2018-02-19T03:00:00Z"],
    ["Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"],
    ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"],
    ["Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"],
    // Clocks went back from 00:01 to 23:01: the 6th ends when its second last hour ends.
    ["America/St_Johns", "2010-11-06", "2010-11-06T02:30:00Z", "2010-11-07T03:30:00Z"],
    ["America/St_Johns", "2010-11-07", "2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"],
  ])("%s %s", (zone, date, start, end) => {
    const window = localWindow(zoneOf(zone), parseDate(date)!);
    expect([formatInstantUs(window.startUs), formatInstantUs(window.endUs)]).toEqual([start, end]);
  });

  it("of a month spans from its first to its last day", () => {
    const window = localWindow(zoneOf("Europe/Berlin"), parseDate("2024-03-01")!, parseDate("2024-03-31")!);
    expect(formatInstantUs(window.startUs)).toBe("2024-02-29T23:00:00Z");
    expect(formatInstantUs(window.endUs)).toBe("2024-03-31T22:00:00Z");
  });

  it("holds every instant of its date and is no wider", () => {
    const far = { min: Date.UTC(1960, 0, 1), max: Date.UTC(2100, 0, 1) };
    fc.assert(
      fc.property(fc.constantFrom(...ODD_ZONES), fc.integer(far), (name, ms) => {
        const zone = zoneOf(name);
        const date = zone.localDateAt(ms * 1000);
        const { startUs, endUs } = localWindow(zone, date);
        expect(startUs <= ms * 1000 && ms * 1000 < endUs).toBe(true);
        expect(zone.localDateAt(startUs)).toBe(date);
        expect(zone.localDateAt(endUs - 1)).toBe(date);
        expect(zone.localDateAt(startUs - 1)).not.toBe(date);
        expect(zone.localDateAt(endUs)).not.toBe(date);
      }),
      { numRuns: 1000 },
    );
  });
});
