// Dates before 1970, and text beyond ASCII; both as partition values too.
const id = { name: "id", type: "long" };

const days = ["1969-12-31", "1970-01-01", "1969-12-01", "1969-01-31", "1900-02-28", "1945-05-08", "2026-01-01"];
const oldRow = (day, key) => [key, day, `${day}T23:59:59.999999Z`, `${day}T00:00:00.000001`];

export const beforeEpoch = {
  name: "dates before 1970",
  columns: [
    id,
    { name: "day", type: "date" },
    { name: "instant", type: "timestamptz" },
    { name: "local", type: "timestamp" },
  ],
  partition: [
    { source: "day", transform: "month" },
    { source: "instant", transform: "day" },
  ],
  steps: [{ append: days.slice(0, 4).map(oldRow) }, { append: days.map(oldRow).slice(4) }],
  rows: days.map(oldRow),
  questions: [
    { where: ["day", "=", "1969-12-31"], rows: [oldRow(days[0], 0)] },
    { where: ["instant", "=", "1969-12-31T23:59:59.999999Z"], rows: [oldRow(days[0], 0)] },
    { where: ["day", "<", "1950-01-01"], rows: [oldRow(days[4], 4), oldRow(days[5], 5)] },
  ],
};

const ancient = ["1899-12-31", "1582-10-15", "1582-10-04", "0001-01-01"];

export const longAgo = {
  name: "dates before 1900",
  columns: beforeEpoch.columns,
  steps: [{ append: ancient.map(oldRow) }],
  rows: ancient.map(oldRow),
  questions: [{ where: ["day", "=", "0001-01-01"], rows: [oldRow(ancient[3], 3)] }],
};

const texts = [
  "Ørjan på Ålesund",
  "🏔 névé 雪",
  "e\u0301 is not é",
  'it\'s "quoted" \\ and / % = & + ?',
  "two\nlines\tand a tab",
  "\u{10FFFF}\uFFFD the last ones, beyond sixteen",
  "ascii",
  "Ω".repeat(40),
];
const textRow = (text, key) => [key, text, ["å/ß", "雪 = 1", "ascii"][key % 3]];

export const unicode = {
  name: "unicode",
  columns: [id, { name: "größe 雪", type: "string" }, { name: "part", type: "string" }],
  partition: [{ source: "part", transform: "identity" }],
  steps: [{ append: texts.slice(0, 4).map(textRow) }, { append: texts.map(textRow).slice(4) }],
  rows: texts.map(textRow),
  questions: [1, 4, 5, 7].map((key) => ({ where: ["größe 雪", "=", texts[key]], rows: [textRow(texts[key], key)] })),
};
unicode.questions.push({
  where: ["part", "=", "å/ß"],
  rows: texts.map(textRow).filter(([key]) => key % 3 === 0),
});
