// Numbers and their edges.
const id = { name: "id", type: "long" };
const inTwo = (feature) => {
  const half = Math.ceil(feature.rows.length / 2);
  return { ...feature, steps: [{ append: feature.rows.slice(0, half) }, { append: feature.rows.slice(half) }] };
};

const hour = (number) => String(number).padStart(2, "0");
const plainRow = (_, key) => [
  key,
  key % 2 === 0,
  key - 10,
  key * 1_000_000_007,
  key / 2,
  key / 3,
  `row ${key}`,
  `2026-03-${hour(key + 1)}`,
  `2026-03-01T${hour(key)}:30:00.000000Z`,
  `2026-03-01T${hour(key)}:30:00.000000`,
  Buffer.from([0, key, 255]).toString("hex"),
];

export const plain = inTwo({
  name: "plain",
  columns: [
    id,
    { name: "flag", type: "boolean" },
    { name: "small", type: "int" },
    { name: "large", type: "long" },
    { name: "ratio", type: "float" },
    { name: "value", type: "double" },
    { name: "text", type: "string" },
    { name: "day", type: "date" },
    { name: "instant", type: "timestamptz" },
    { name: "local", type: "timestamp" },
    { name: "bytes", type: "binary" },
  ],
  rows: Array.from({ length: 20 }, plainRow),
  questions: [
    { where: ["id", "=", 7], rows: [plainRow(undefined, 7)] },
    { where: ["day", "=", "2026-03-12"], rows: [plainRow(undefined, 11)] },
  ],
});

export const nullsAndNan = inTwo({
  name: "nulls and NaN",
  columns: [
    id,
    { name: "value", type: "double" },
    { name: "ratio", type: "float" },
    { name: "large", type: "long" },
    { name: "text", type: "string" },
    { name: "day", type: "date" },
    { name: "instant", type: "timestamptz" },
  ],
  rows: [
    [0, "NaN", "NaN", null, null, null, null],
    [1, "Infinity", "-Infinity", null, null, null, null],
    [2, "-Infinity", "Infinity", null, null, null, null],
    [3, null, null, null, null, null, null],
    [4, "-0", "-0", 0, "", "1970-01-01", "1970-01-01T00:00:00.000000Z"],
    [5, 1.5, 1.5, 5, "null", "2026-01-01", "2026-01-01T00:00:00.000000Z"],
    [6, 5e-324, 1.401298464324817e-45, null, "NaN", null, null],
    [7, 1.7976931348623157e308, 3.4028234663852886e38, 7, "x", null, null],
  ],
  questions: [
    { where: ["value", "=", 1.5], rows: [[5, 1.5, 1.5, 5, "null", "2026-01-01", "2026-01-01T00:00:00.000000Z"]] },
    { where: ["text", "=", "null"], rows: [[5, 1.5, 1.5, 5, "null", "2026-01-01", "2026-01-01T00:00:00.000000Z"]] },
  ],
});

const longs = [
  "9223372036854775807",
  "-9223372036854775808",
  "9223372036854775806",
  "9007199254740993",
  "-9007199254740993",
  "0",
  "-1",
];
const ints = ["2147483647", "-2147483648", "0", "1", "-1", "16777217", "-16777217"];
const extremeRow = (large, key) => [key, large, ints[key]];

export const extremes = inTwo({
  name: "64-bit extremes",
  columns: [id, { name: "large", type: "long" }, { name: "small", type: "int" }],
  rows: longs.map(extremeRow),
  questions: [0, 1, 3].map((key) => ({ where: ["large", "=", longs[key]], rows: [extremeRow(longs[key], key)] })),
});

const times = ["00:00:00.000001", "00:00:00.999999", "12:34:56.789012", "23:59:59.999999", "12:00:00.000500"];
const timeRow = (time, key) => [key, `2026-06-01T${time}Z`, `2026-06-01T${time}`];

export const microseconds = inTwo({
  name: "microseconds",
  columns: [id, { name: "instant", type: "timestamptz" }, { name: "local", type: "timestamp" }],
  rows: times.map(timeRow),
  questions: [0, 3].map((key) => ({
    where: ["instant", "=", `2026-06-01T${times[key]}Z`],
    rows: [timeRow(times[key], key)],
  })),
});

const cents = ["0.01", "-0.01", "9999999.99", "-9999999.99", "0.00"];
const millionths = ["123456789012.345678", "-123456789012.345678", "999999999999.999999", "0.000001", "0.000000"];
const widest = [
  "9999999999999999999999999999.9999999999",
  "-9999999999999999999999999999.9999999999",
  "0.0000000001",
  "12345678901234567890.1234567890",
  "0.0000000000",
];
const decimalRow = (_, key) => [key, cents[key], millionths[key], widest[key]];

export const decimals = inTwo({
  name: "decimals",
  columns: [
    id,
    { name: "cents", type: "decimal(9, 2)" },
    { name: "millionths", type: "decimal(18, 6)" },
    { name: "widest", type: "decimal(38, 10)" },
  ],
  rows: cents.map(decimalRow),
  questions: [
    { where: ["cents", "=", cents[1]], rows: [decimalRow(undefined, 1)] },
    { where: ["widest", "=", widest[3]], rows: [decimalRow(undefined, 3)] },
  ],
});
