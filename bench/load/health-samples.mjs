// Health samples in the shape that phones send, made from a seed: the same arguments give the same bytes.
//
// Of the arrivals a share are duplicates (an earlier sample with its latest content), corrections (an earlier sample
// with another value) and bad records (a value out of range). `expected` counts what a right lake must report.

const types = [
  ["heartRate", "count/min", 50, 150],
  ["stepCount", "count", 0, 900],
  ["distanceWalkingRunning", "m", 0, 800],
  ["activeEnergyBurned", "kcal", 0, 60],
  ["basalEnergyBurned", "kcal", 10, 90],
  ["oxygenSaturation", "%", 92, 100],
  ["respiratoryRate", "count/min", 10, 22],
  ["restingHeartRate", "count/min", 45, 80],
  ["bodyTemperature", "degC", 36, 37.8],
  ["flightsClimbed", "count", 0, 12],
  ["bloodGlucose", "mg/dL", 70, 160],
  ["heartRateVariability", "ms", 20, 110],
];
const zones = ["Europe/Berlin", "America/New_York", "Asia/Seoul", "Asia/Kolkata"];

/** A small fast generator (mulberry32): numbers in [0, 1). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Integer hash of two numbers, for properties of a sample that must be the same at every arrival. */
function mix(a, b) {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x27d4eb2f);
  return (h ^ (h >>> 13)) >>> 0;
}

const hex8 = (n) => n.toString(16).padStart(8, "0");

export function makeLoad({
  samples,
  users = 5_000,
  typeCount = 12,
  days = 60,
  perPayload = 100,
  duplicates = 0.1,
  corrections = 0.02,
  bad = 0.01,
  endMs,
  spanMs = days * 86_400_000,
  seed = 1,
  prefix = "u",
}) {
  const draw = random(seed);
  const expected = { received: 0, stored: 0, corrected: 0, duplicates: 0, rejected: 0 };
  const counts = new Uint32Array(users);
  const versions = new Map();
  const badSeen = new Set();

  const sampleJson = (user, n, version, refused) => {
    const h = mix(user * 7919 + seed, n);
    const [type, unit, low, high] = types[mix(h, 1) % typeCount];
    const startMs = Math.floor(endMs - (mix(h, 2) / 4294967296) * spanMs);
    const value = refused ? 1e9 : Math.round((low + (mix(h, 3 + version) / 4294967296) * (high - low)) * 100) / 100;
    const start = new Date(startMs).toISOString();
    const zone = zones[user % zones.length];
    const id = `${hex8(mix(h, 11))}-${hex8(user).slice(4)}-4${hex8(n).slice(0, 3)}-a${hex8(n).slice(3, 6)}-${hex8(n)}${hex8(seed).slice(4)}`;
    return `{"id":"${id}","type":"${type}","value":${value},"unit":"${unit}","startDate":"${start}","endDate":"${new Date(startMs + 60_000).toISOString()}","sourceBundle":"com.apple.health.9F2C1A4B-77","metadata":{"HKTimeZone":"${zone}","HKWasUserEntered":"0"},"isSynced":true,"createdAt":"${start}","timezone":"${zone}","timezoneOffset":60}`;
  };

  const one = (user) => {
    expected.received++;
    const known = counts[user];
    const luck = draw();
    if (luck < bad) {
      const n = 1_000_000 + (mix(user, expected.received) % 1_000_000);
      const key = user * 4_000_000 + n;
      if (badSeen.has(key)) expected.duplicates++;
      else expected.rejected++;
      badSeen.add(key);
      return sampleJson(user, n, 0, true);
    }
    if (known > 0 && luck < bad + duplicates + corrections) {
      const n = Math.floor(draw() * known);
      const key = user * 4_000_000 + n;
      const version = versions.get(key) ?? 0;
      if (luck < bad + duplicates) {
        expected.duplicates++;
        return sampleJson(user, n, version, false);
      }
      // Another value: versions whose value happens to be equal would be duplicates.
      let next = version + 1;
      const before = sampleJson(user, n, version, false);
      while (sampleJson(user, n, next, false) === before) next++;
      versions.set(key, next);
      expected.corrected++;
      return sampleJson(user, n, next, false);
    }
    counts[user]++;
    expected.stored++;
    return sampleJson(user, known, 0, false);
  };

  function* payloads() {
    for (let sent = 0; sent < samples; sent += perPayload) {
      const user = Math.floor(draw() * users);
      const list = [];
      for (let k = Math.min(perPayload, samples - sent); k > 0; k--) list.push(one(user));
      const name = `${prefix}${String(user).padStart(5, "0")}`;
      yield {
        samples: list.length,
        body: `{"deviceId":"phone-${name}","userId":"${name}","timestamp":"${new Date(endMs).toISOString()}","appVersion":"3.2.1","samples":[${list.join(",")}]}`,
      };
    }
  }
  /** What raw must hold of a user (by number) in the end: every identity once, with its latest content. */
  const latest = (user) =>
    Array.from({ length: counts[user] }, (_, n) =>
      JSON.parse(sampleJson(user, n, versions.get(user * 4_000_000 + n) ?? 0, false)),
    );
  const userName = (user) => `${prefix}${String(user).padStart(5, "0")}`;
  return { payloads, expected, latest, userName };
}
