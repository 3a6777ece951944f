// Samples beside the shipped ones, and then corrections and deletions of both: what a table needs to have position
// deletes, days of many time zones, and weeks of two years.

const wardUser = "Ørjan 🏔";
const wardSamples = 6_000;
const wardStartMs = Date.UTC(2026, 2, 10);
const wardStepMs = 14_000;
const wardLineSamples = 1_000;
const correctedEvery = 40;
const deletedEvery = 97;
const movedSamples = 10;
const movedByMs = 55 * 3_600_000;
const repeatedSamples = 50;

/** Zone as a sample may name it, by traveller. Clocks change at midnight in São Paulo and Beirut. */
const travellers = {
  "traveller-1": { metadata: { HKTimeZone: "Asia/Kathmandu", place: "Kathmandu" } },
  "traveller-2": { timezone: "America/Sao_Paulo" },
  "traveller-3": { timezoneOffset: -210 },
  "traveller-4": { timezoneOffset: 765, metadata: { HKTimeZone: "Pacific/Apia" } },
  "traveller-5": { timezone: "Asia/Beirut", metadata: { note: "" } },
  "traveller-6": {},
};
const journeys = ["2018-11-02", "2018-02-16", "2020-12-26", "2024-02-27", "2022-03-24", "2024-12-28"];
const journeyReadings = 50;
/** About five readings a day, each at another time of day. */
const readingStepMs = 17_123_456;

/** NDJSON of new samples: a day with more rows than a file that is written anew for every change, and the travellers. */
export function newSamples() {
  const ward = range(wardSamples).map((index) => wardSample(index));
  const lines = [];
  for (let start = 0; start < ward.length; start += wardLineSamples)
    lines.push(payload(wardUser, { samples: ward.slice(start, start + wardLineSamples) }));
  for (const [user, zone] of Object.entries(travellers))
    lines.push(payload(user, { samples: journeys.flatMap((day) => journeySamples(day, zone)) }));
  return {
    body: lines.join("\n"),
    adds: { stored: wardSamples + Object.keys(travellers).length * journeys.length * journeyReadings },
  };
}

/** NDJSON that corrects, moves to another day and zone, repeats and deletes samples that are there. */
export function changes() {
  const isDeleted = (index) => index % deletedEvery === 1;
  const kept = range(wardSamples).filter((index) => !isDeleted(index));
  const deleted = range(wardSamples).filter(isDeleted);
  const corrected = kept.filter((index) => index % correctedEvery === 2);
  const moved = kept.filter((index) => index % correctedEvery === 3).slice(0, movedSamples);
  const repeated = kept.filter((index) => index % correctedEvery === 5).slice(0, repeatedSamples);
  const samples = [
    ...corrected.map((index) => ({ ...wardSample(index), value: wardSample(index).value + 0.125 })),
    ...moved.map((index) => wardSample(index, { movedByMs, zone: "America/Sao_Paulo" })),
    ...repeated.map((index) => wardSample(index)),
  ];
  const steps = (hour) => `fitbit-stepCount-1503960366-2016-04-12T${hour}:00:00`;
  const sampleSteps = {
    id: steps("10"),
    type: "stepCount",
    value: 4_321,
    unit: "count",
    startDate: "2016-04-12T10:00:00-04:00",
    endDate: "2016-04-12T11:00:00-04:00",
    timezone: "America/New_York",
  };
  const body = [
    payload(wardUser, { samples, deleted: deleted.map(wardId) }),
    payload("1503960366", { samples: [sampleSteps], deleted: [steps("11")] }),
  ].join("\n");
  return {
    body,
    adds: {
      corrected: corrected.length + moved.length + 1,
      duplicates: repeated.length,
      stored: 0,
      deleted: deleted.length + 1,
    },
  };
}

function wardSample(index, { movedByMs: byMs = 0, zone = "Asia/Kolkata" } = {}) {
  const at = new Date(wardStartMs + index * wardStepMs + byMs).toISOString();
  return {
    id: wardId(index),
    type: "heartRate",
    value: 45 + ((index * 7_919) % 1_201) / 10,
    unit: "count/min",
    startDate: at,
    endDate: at,
    ...(index % 3 === 0 || byMs > 0 ? { metadata: { HKTimeZone: zone, note: `bed "${index % 7}"\\ 床` } } : {}),
  };
}

function wardId(index) {
  return `ward-${index}`;
}

function journeySamples(firstDay, zone) {
  const startMs = Date.parse(`${firstDay}T00:00:00Z`);
  return range(journeyReadings).map((index) => {
    const at = new Date(startMs + index * readingStepMs).toISOString();
    const value = ((index * 613) % 997) + 0.1;
    return { id: `${firstDay}-${index}`, type: "stepCount", value, unit: "count", startDate: at, endDate: at, ...zone };
  });
}

function payload(userId, rest) {
  return JSON.stringify({ deviceId: "interop", userId, timestamp: "2026-03-12T08:00:00Z", ...rest });
}

function range(length) {
  return Array.from({ length }, (_, index) => index);
}
