/** Payloads of the health lake that are wrong in one way each, written as text: some of it no serializer would write. */

const at = "2026-03-01T08:00:00Z";

/** A sample without fault; ids are written as JSON writes them. */
export function goodSample(id: string): string {
  return `{"id":${JSON.stringify(id)},"type":"heartRate","value":72,"unit":"count/min","startDate":"${at}","endDate":"${at}"}`;
}

/** Samples are JSON text; further fields of the payload stand before them. */
export function payload(user: string, samples: readonly string[], fields = ""): string {
  return `{"deviceId":"phone","userId":${JSON.stringify(user)},${fields === "" ? "" : `${fields},`}"samples":[${samples.join(" , ")}]}`;
}

export interface BadSample {
  readonly what: string;
  readonly user: string;
  /** The exact text of the sample. */
  readonly sample: string;
  /** Other fields of its payload. */
  readonly fields?: string;
  /** What the message must name: field, problem, rule. */
  readonly says: readonly string[];
  /** When it is not `validation_error`. */
  readonly type?: string;
  /** When the dead letter names another id than `bad`. */
  readonly sampleId?: string | null;
}

/** Fields as JSON text; undefined leaves one out. */
function sampleText(change: Record<string, string | undefined>): string {
  const fields = {
    id: `"bad"`,
    type: `"heartRate"`,
    value: "72",
    unit: `"count/min"`,
    startDate: `"${at}"`,
    endDate: `"${at}"`,
    ...change,
  };
  const members = Object.entries(fields).flatMap(([name, text]) => (text === undefined ? [] : [`"${name}" : ${text}`]));
  return `{ ${members.join(", ")} }`;
}

const lone = String.raw`"a\ud800b"`;

const samples: Omit<BadSample, "user">[] = [
  ...["type", "value", "unit", "startDate", "endDate"].map((field) => ({
    what: `no ${field}`,
    sample: sampleText({ [field]: undefined }),
    says: [field, "missing", "required"],
  })),
  { what: "no id", sample: sampleText({ id: undefined }), says: ["id", "missing"], sampleId: null },
  { what: "an empty id", sample: sampleText({ id: `""` }), says: ["id", "non-empty"], sampleId: "" },
  { what: "a number as id", sample: sampleText({ id: "17" }), says: ["id", "a string"], sampleId: null },
  {
    what: "an id of 1,025 characters",
    sample: sampleText({ id: JSON.stringify("i".repeat(1025)) }),
    says: ["id", "1024"],
    sampleId: "i".repeat(1025),
  },
  { what: "a text as value", sample: sampleText({ value: `"72"` }), says: ["value", "finite number"] },
  { what: "null as value", sample: sampleText({ value: "null" }), says: ["value", "null", "finite number"] },
  { what: "true as value", sample: sampleText({ value: "true" }), says: ["value", "finite number"] },
  { what: "an array as value", sample: sampleText({ value: "[72]" }), says: ["value", "array", "finite number"] },
  { what: "NaN as text", sample: sampleText({ value: `"NaN"` }), says: ["value", "NaN", "finite number"] },
  { what: "an infinite value", sample: sampleText({ value: "1e999" }), says: ["value", "finite"] },
  { what: "a negative value", sample: sampleText({ value: "-1" }), says: ["value -1", "at least 0"] },
  { what: "a value out of range", sample: sampleText({ value: "251" }), says: ["value 251", "out of range", "30–250"] },
  {
    what: "a conversion without result",
    sample: sampleText({ type: `"distanceWalkingRunning"`, value: "1.7e308", unit: `"mi"` }),
    says: ["value", "converted"],
    type: "transformation_error",
  },
  { what: "an unknown type", sample: sampleText({ type: `"auraBrightness"` }), says: ["type", "unknown"] },
  { what: "__proto__ as type", sample: sampleText({ type: `"__proto__"` }), says: ["type", "unknown"] },
  { what: "an unknown unit", sample: sampleText({ unit: `"furlong"` }), says: ["unit", "furlong", "count/min"] },
  { what: "constructor as unit", sample: sampleText({ unit: `"constructor"` }), says: ["unit", "unknown"] },
  {
    what: "an unknown zone",
    sample: sampleText({ timezone: `"Mars/Olympus_Mons"` }),
    says: ["timezone", "Mars/Olympus_Mons", "IANA"],
  },
  {
    what: "an unknown zone of measurement",
    sample: sampleText({ metadata: `{"HKTimeZone":"../etc/passwd"}` }),
    says: ["metadata.HKTimeZone", "IANA"],
  },
  {
    what: "an offset out of range",
    sample: sampleText({ timezoneOffset: "1081" }),
    says: ["timezoneOffset", "1081", "±1080"],
  },
  {
    what: "start after end",
    sample: sampleText({ startDate: `"2026-03-01T08:00:01Z"` }),
    says: ["endDate", "before startDate"],
  },
  { what: "a time without offset", sample: sampleText({ startDate: `"2026-03-01T08:00:00"` }), says: ["startDate"] },
  { what: "a day that does not exist", sample: sampleText({ endDate: `"2026-02-30T08:00:00Z"` }), says: ["endDate"] },
  { what: "a number as time", sample: sampleText({ startDate: "1772352000" }), says: ["startDate", "ISO 8601"] },
  {
    what: "a year out of range",
    sample: sampleText({ startDate: `"1899-12-31T23:59:59Z"` }),
    says: ["startDate", "1900"],
  },
  {
    what: "a number in metadata",
    sample: sampleText({ metadata: `{"a":"x","b":1}` }),
    says: ["metadata.b", "a string"],
  },
  { what: "a list as metadata", sample: sampleText({ metadata: `["x"]` }), says: ["metadata", "object of strings"] },
  { what: "a text as flag", sample: sampleText({ isSynced: `"yes"` }), says: ["isSynced", "true or false"] },
  { what: "a key twice", sample: sampleText({ 'value" : 71, "value': "72" }), says: ["value", "duplicate key"] },
  {
    what: "a key twice in metadata, once escaped",
    sample: sampleText({ metadata: String.raw`{"a":"x","\u0061":"y"}` }),
    says: ["metadata.a", "duplicate key"],
  },
  { what: "a lone surrogate", sample: sampleText({ sourceBundle: lone }), says: ["sourceBundle", "lone surrogate"] },
  {
    what: "a lone surrogate in a metadata key",
    sample: sampleText({ metadata: `{${lone}:"x"}` }),
    says: ["metadata", "lone surrogate"],
  },
  {
    what: "a lone surrogate as id",
    sample: sampleText({ id: lone }),
    says: ["id", "lone surrogate"],
    sampleId: null,
  },
  {
    what: "its fields behind __proto__",
    sample: `{"__proto__":${sampleText({})}}`,
    says: ["id is missing"],
    sampleId: null,
  },
  { what: "a number for a sample", sample: "42", says: ["sample", "an object"], sampleId: null },
  { what: "null for a sample", sample: "null", says: ["sample", "an object"], sampleId: null },
  { what: "a list for a sample", sample: "[ ]", says: ["sample", "an object"], sampleId: null },
];

export const badSamples: readonly BadSample[] = samples.map((one, n) => ({ ...one, user: `bad sample ${n}` }));

/** Payloads that are refused as a whole, as one record. */
export const badPayloads = [
  {
    what: "a key twice in the payload",
    user: "twice",
    body: `{"userId":"other","deviceId":"phone", "userId":"twice","samples":[${goodSample("x")}]}`,
    says: ["userId", "duplicate key"],
  },
  {
    what: "a lone surrogate in a field of the payload",
    user: "lone",
    body: payload("lone", [goodSample("x")], `"appVersion":${lone}`),
    says: ["appVersion", "lone surrogate"],
  },
  {
    what: "a bad time of an empty payload",
    user: "bad time",
    body: payload("bad time", [], `"timestamp":"now"`),
    says: ["timestamp"],
  },
].map((one) => ({ ...one, records: 1 }));

/** Payloads of which every record is refused, each with its own bytes. */
export const refusedSamples = [
  {
    what: "a malformed time of the payload",
    user: "payload time",
    samples: [goodSample("x"), goodSample("y")],
    fields: `"timestamp":"2026-13-01T00:00:00Z"`,
    refused: [goodSample("x"), goodSample("y")],
    says: ["timestamp"],
  },
  {
    what: "a number as appVersion",
    user: "payload version",
    samples: [goodSample("x")],
    fields: `"appVersion":3`,
    refused: [goodSample("x")],
    says: ["appVersion", "a string"],
  },
  {
    what: "a deletion that is no id",
    user: "payload deleted",
    samples: [],
    fields: `"deleted":[ 5, {"id": "x"} , ""]`,
    refused: ["5", `{"id": "x"}`, `""`],
    says: ["deleted"],
  },
  {
    what: "deletions that are no list",
    user: "payload deletions",
    samples: [],
    fields: `"deleted": "x"`,
    refused: [`"x"`],
    says: ["deleted", "an array"],
  },
] as const;

/** As many as a payload may hold. */
export const manyBad: readonly string[] = Array.from({ length: 10_000 }, (_, n) =>
  sampleText({ id: `"many-${n}"`, value: "-1" }),
);

const megabytes = 3_000_000;

/** Bad samples whose originals are long. Where JSON would escape much of one it is kept as base64. */
export const longSamples = [
  {
    what: "a bad sample of 3 MB",
    user: "long",
    sample: sampleText({ value: "-1", metadata: `{"note":"${"ä".repeat(megabytes / 2)}"}` }),
    kept: "text",
  },
  {
    what: "a bad sample of 3 MB of quotes",
    user: "long quotes",
    sample: sampleText({ value: "-1", metadata: `{"note":"${String.raw`\"`.repeat(megabytes / 2)}"}` }),
    kept: "base64",
  },
] as const;

/** Well-formed texts that something on the way might bend. */
export const oddTexts: readonly { readonly what: string; readonly text: string; readonly user: string }[] = (
  [
    ["NUL", "a\u0000b"],
    ["control characters", "\u0001\u0008\u000b\u001f\u007f\u0085"],
    ["line ends", "a\nb\r\nc\rd\te"],
    ["quotes", `"it's" \`quoted\` ''`],
    ["a backslash", String.raw`\u0041 \n C:\x \\`],
    ["NFC", "\u00e9\u00c5"],
    ["NFD", "e\u0301A\u030a"],
    ["emoji", "🫀👩‍👩‍👧‍👦🏳️‍🌈"],
    ["right to left", "\u202eabc\u202c שלום"],
    ["a byte order mark", "\ufeffx\ufeff"],
    ["line separators", "a\u2028b\u2029c"],
    ["code points without a character", "\uffff\ufffe\u{10ffff}"],
    ["a replacement character", "\ufffd"],
    ["blanks", "  a  \u00a0\u3000"],
    ["__proto__", "__proto__"],
    ["constructor", "constructor"],
    ["null as text", "null"],
    ["numbers as text", "007"],
    ["a date as text", "2026-03-01"],
    ["SQL", `'; DROP TABLE health_data_raw; --`],
    ["CSV and shell", "=1+1,$(reboot),%s%n,{{7*7}}"],
    ["JSON", `{"a":[1,null]}`],
    ["a path", "../../etc/passwd\u0000.parquet"],
    ["1,024 characters", "ä".repeat(1024)],
  ] as const
).map(([what, text]) => ({ what, text, user: text.slice(0, 1000) + "/u" }));
