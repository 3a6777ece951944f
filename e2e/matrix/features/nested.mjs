// Maps, lists, structs, and these in one another; empty is not null.
const place = { struct: { city: "string", height: "int" } };
const deep = { list: { struct: { name: "string", counts: { map: ["string", { list: "int" }] } } } };

const columns = [
  { name: "id", type: "long" },
  { name: "amounts", type: { map: ["string", "long"] } },
  { name: "words", type: { list: "string" } },
  { name: "place", type: place },
  { name: "deep", type: deep },
];

const rows = [
  [
    1,
    [
      ["a", 1],
      ["b", -9007199254740993n],
    ],
    ["x", "y", ""],
    { city: "Ålesund", height: 2 },
    [{ name: "z", counts: [["", [0]]] }],
  ],
  [2, [], [], { city: "", height: 0 }, [{ name: "n", counts: [["k", [1, 2, 3]]] }]],
  [3, [["nil", null]], [null, "z"], { city: null, height: -5 }, [{ name: null, counts: [["k", [null]]] }]],
  [
    4,
    [["a", 9]],
    ["q"],
    { city: "Oslo", height: null },
    [
      { name: "m", counts: [["p", [4]]] },
      { name: "o", counts: [["e", []]] },
    ],
  ],
];

export const mapAndNested = {
  name: "map and nested types",
  columns,
  steps: [{ append: rows.slice(0, 2) }, { append: rows.slice(2) }],
  rows,
  questions: [{ where: ["id", "=", 3], rows: rows.slice(2, 3) }],
};

const nulls = [
  [1, null, null, null, null],
  [2, [], [], { city: null, height: null }, []],
  [3, [["a", 1]], ["x"], { city: "Oslo", height: 1 }, [{ name: "n", counts: null }]],
  [4, null, ["y"], null, [null, { name: "m", counts: [["k", null]] }, { name: "o", counts: [] }]],
];

export const nullCollections = { name: "null collections", columns, steps: [{ append: nulls }], rows: nulls };
