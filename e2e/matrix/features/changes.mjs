// Tables that change: rows go, columns and partitioning become others, the past stays readable.
const id = { name: "id", type: "long" };
const ids = (from, to) => Array.from({ length: to - from }, (_, index) => from + index);
const without = (rows, gone) => rows.filter(([key]) => !gone.includes(key));

const texts = (from, to) => ids(from, to).map((key) => [key, `text ${key}`, key / 8]);
const textColumns = [id, { name: "text", type: "string" }, { name: "value", type: "double" }];
const sevenths = ids(0, 100).filter((key) => key % 7 === 0);
const later = [5, 103, 104];

export const positionDeletes = {
  name: "position deletes",
  columns: textColumns,
  steps: [{ append: texts(0, 100) }, { delete: sevenths }, { append: texts(100, 120) }, { delete: later }],
  rows: without([...texts(0, 100), ...texts(100, 120)], [...sevenths, ...later]),
  questions: [{ where: ["id", "=", 103], rows: [] }],
  /** The summary of the current snapshot must have this entry, and not 0: the rows went by delete files. */
  written: "total-position-deletes",
};

const first = ids(0, 10).map((key) => [key, key * 10, key / 4, `old ${key}`]);
const second = ids(10, 20).map((key) => [key, 5_000_000_000 + key, key / 10, key * 3, `new ${key}`]);

export const evolvedSchema = {
  name: "evolved schema",
  columns: [id, { name: "count", type: "int" }, { name: "ratio", type: "float" }, { name: "note", type: "string" }],
  steps: [
    { append: first },
    { mark: "before" },
    {
      evolve: [
        { widen: "count", to: "long" },
        { widen: "ratio", to: "double" },
        { rename: "count", to: "total" },
        { drop: "note" },
        { add: "note", type: "long" },
        { add: "comment", type: "string" },
      ],
      columns: [
        id,
        { name: "total", type: "long" },
        { name: "ratio", type: "double" },
        { name: "note", type: "long" },
        { name: "comment", type: "string" },
      ],
    },
    { append: second },
  ],
  rows: [...first.map(([key, count, ratio]) => [key, count, ratio, null, null]), ...second],
  marks: { before: first },
  questions: [
    { where: ["total", "=", 5_000_000_013], rows: second.slice(3, 4) },
    { where: ["note", "=", 30], rows: second.slice(0, 1) },
  ],
};

const kinds = ["alpha", "beta", "gamma"];
const happened = (key) => `2025-${String((key % 12) + 1).padStart(2, "0")}-15T08:00:00.000000Z`;
const events = (from, to) => ids(from, to).map((key) => [key, kinds[key % 3], happened(key)]);

export const evolvedPartitionSpec = {
  name: "evolved partition spec",
  columns: [id, { name: "kind", type: "string" }, { name: "happened", type: "timestamptz" }],
  partition: [{ source: "kind", transform: "identity" }],
  steps: [
    { append: events(0, 12) },
    {
      repartition: [
        { source: "happened", transform: "month" },
        { source: "id", transform: "bucket[3]" },
      ],
    },
    { append: events(12, 24) },
    { repartition: [{ source: "kind", transform: "truncate[2]" }] },
    { append: events(24, 36) },
  ],
  rows: events(0, 36),
  questions: [
    { where: ["kind", "=", "beta"], rows: events(0, 36).filter(([, kind]) => kind === "beta") },
    { where: ["happened", "=", happened(4)], rows: events(0, 36).filter(([key]) => key % 12 === 4) },
    { where: ["id", "=", 17], rows: events(17, 18) },
  ],
};

export const timeTravel = {
  name: "time travel",
  columns: textColumns,
  steps: [
    { append: texts(0, 10) },
    { mark: "first" },
    { append: texts(10, 15) },
    { mark: "second" },
    { delete: [3, 12] },
    { mark: "third" },
    { append: texts(20, 22) },
  ],
  rows: [...without(texts(0, 15), [3, 12]), ...texts(20, 22)],
  marks: { first: texts(0, 10), second: texts(0, 15), third: without(texts(0, 15), [3, 12]) },
};
