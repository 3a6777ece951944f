// Messages for Kafka made from a seed: the same arguments give the same bytes.
import { random } from "../../bench/load/health-samples.mjs";

const SAMPLES_PER_MESSAGE = 20;
const USERS = 400;
const BAD_SAMPLE_SHARE = 0.01;
const BAD_MESSAGE_SHARE = 0.03;
const UNKNOWN_SCHEMA = 987_654;
const START_MS = Date.UTC(2026, 9, 1);

const optional = (type) => ({ type: ["null", type], default: null });
const text = optional("string");

/** The writers' schemas: one as a careful team writes it, and one as it became later. */
export const avroSchemas = [
  payloadSchema("example.v1", [
    ...["id", "type", "unit", "startDate", "endDate"].map((name) => ({ name, type: "string" })),
    { name: "value", type: "double" },
  ]),
  payloadSchema("example.v2", [
    { name: "version", type: "int", default: 2 },
    { name: "startDate", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "endDate", type: { type: "long", logicalType: "timestamp-micros" } },
    ...["id", "type", "unit", "sourceBundle"].map((name) => ({ name, ...text })),
    { name: "value", ...optional("float") },
    { name: "metadata", ...optional({ type: "map", values: "string" }) },
  ]),
];

function payloadSchema(namespace, fields) {
  const items = { type: "record", name: "HealthSample", fields };
  return {
    type: "record",
    name: "HealthPayload",
    namespace,
    fields: [
      { name: "deviceId", ...text },
      { name: "userId", ...text },
      { name: "samples", type: { type: "array", items } },
    ],
  };
}

/**
 * @param writers id and avsc type of each of `avroSchemas`, as registered
 * @returns key, value, user, the good samples in it, how many bad records it counts as, the type of their errors, and
 *   whether it is bad as a whole
 */
export function makeMessages({ samples, seed, writers }) {
  const draw = random(seed);
  const messages = [];
  let made = 0;
  while (made < samples) {
    const number = messages.length;
    if (draw() < BAD_MESSAGE_SHARE) {
      messages.push(badMessage(number, draw, writers));
      made += 1;
      continue;
    }
    const all = Array.from({ length: Math.min(SAMPLES_PER_MESSAGE, samples - made) }, (_, at) => {
      return sampleOf(made + at, draw);
    });
    made += all.length;
    messages.push(goodMessage(number, all, draw, writers));
  }
  return messages;
}

function goodMessage(number, all, draw, writers) {
  const user = `user-${Math.floor(draw() * USERS)}`;
  const value = encode({ deviceId: `phone-${number % 7}`, userId: user, samples: all }, draw, writers);
  const key = draw() < 0.1 ? `device-${number}` : user;
  const bad = all.filter((sample) => sample.value > 1_000).length;
  const good = all
    .filter((sample) => sample.value <= 1_000)
    .map(({ id, value: measured }) => ({ id, value: measured }));
  return { key, value, user, good, bad, errorType: "validation_error", whole: false };
}

function encode(payload, draw, writers) {
  const way = Math.floor(draw() * 4);
  if (way < 2) return Buffer.from(JSON.stringify(payload));
  if (way === 2) return wire(writers[0], payload);
  const inLongs = ({ startDate, endDate, ...rest }) => {
    return { ...rest, version: 2, startDate: Date.parse(startDate), endDate: Date.parse(endDate) * 1000 };
  };
  return wire(writers[1], { ...payload, samples: payload.samples.map(inLongs) });
}

function wire({ id, type }, payload) {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, type.toBuffer(payload)]);
}

/** Values are whole, so that every encoding gives the same number; one above 1,000 is out of range. */
function sampleOf(number, draw) {
  const at = START_MS + Math.floor(draw() * 20 * 86_400_000);
  return {
    id: `s${number}`,
    type: "heartRate",
    value: draw() < BAD_SAMPLE_SHARE ? 2_000 + (number % 1_000) : 40 + Math.floor(draw() * 150),
    unit: "count/min",
    startDate: new Date(at).toISOString(),
    endDate: new Date(at + 5_000).toISOString(),
  };
}

/** A message that is one bad record; each has bytes of its own, since the same bytes are one dead letter. */
function badMessage(number, draw, writers) {
  const mark = Buffer.from(`-${number}-`);
  const whole = wire(writers[0], { deviceId: "d", userId: `u${number}`, samples: [sampleOf(number, draw)] });
  const unknown = Buffer.concat([Buffer.alloc(5), mark]);
  unknown.writeUInt32BE(UNKNOWN_SCHEMA + (number % 3), 1);
  const kinds = [
    ["deserialization_error", Buffer.from(`{"userId":"u${number}","samples":[`)],
    ["deserialization_error", Buffer.concat([Buffer.of(9), mark])],
    ["deserialization_error", whole.subarray(0, -4)],
    ["deserialization_error", Buffer.concat([whole, mark])],
    ["schema_error", unknown],
    ["schema_error", Buffer.from(JSON.stringify({ deviceId: "d", samples: [], number }))],
    ["schema_error", wire(writers[0], { deviceId: `d${number}`, userId: null, samples: [] })],
  ];
  const [errorType, value] = kinds[Math.floor(draw() * kinds.length)];
  return { key: draw() < 0.5 ? null : `k${number}`, value, user: "", good: [], bad: 1, errorType, whole: true };
}
