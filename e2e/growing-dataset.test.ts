import type { Dataset } from "@firn/core";
import { currentSchema } from "@firn/lake";
import { waitFor } from "@firn/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { InProcessLake } from "./support/in-process-lake.ts";
import { createTidesDataset } from "./support/tides/dataset.ts";

/** A dataset's definition changes while its lake has rows: the next start of the stages brings the table along. */
const tides = createTidesDataset();
const limitMs = 20_000;

/** Tides with one more column; records carry it only once their validator knows it. */
function grown(column: Dataset["raw"]["columns"][number], noteOf?: (row: number) => string): Dataset {
  return {
    ...tides,
    raw: { ...tides.raw, columns: [...tides.raw.columns, column] },
    beginRun: (...args) => {
      const run = tides.beginRun(...args);
      return {
        add: (payload) => run.add(payload),
        finish: () => {
          const finished = run.finish();
          if (noteOf === undefined) return finished;
          const { rows, columns } = finished.rows;
          const notes = Array.from({ length: rows }, (_, row) => noteOf(row));
          return { ...finished, rows: { rows, columns: { ...columns, [column.name]: notes } } };
        },
      };
    },
  };
}

let lake: InProcessLake;
beforeEach(async () => {
  lake = await InProcessLake.open({ dataset: tides });
});
afterEach(() => lake.close());

async function send(at: string): Promise<void> {
  await lake.send([{ gauge: "brest", readings: [{ at, height: 100, temperature: 10 }] }]);
  await lake.settle();
}

const note = { name: "note", type: "string", required: false } as const;

it("a new optional field reaches the table without loss or stop; rows and messages without it are null", async () => {
  await send("2026-01-31T06:00:00Z");
  await lake.restart({ dataset: grown(note) });
  // A message of a validator that does not know the field yet.
  await send("2026-01-31T07:00:00Z");
  await lake.restart({ dataset: grown(note, () => "storm") });
  await send("2026-01-31T08:00:00Z");
  const { metadata } = await lake.table(tides.raw);
  const names = tides.raw.columns.map((column) => column.name);
  expect(currentSchema(metadata).fields.map((field) => field.name)).toEqual([...names, "note"]);
  const rows = await lake.rows<{ note: string | null }>(lake.dataset.raw);
  expect(rows.map((row) => row.note).sort()).toEqual([null, null, "storm"].sort());
  expect(await lake.counts()).toMatchObject({ received: 3, stored: 3 });
});

it("a field that does not fit parks the stage with a reason, and it goes on when the definition is taken back", async () => {
  await send("2026-01-31T06:00:00Z");
  await lake.restart({ dataset: grown({ name: "note", type: "string", required: true }) });
  const parked = await waitFor(async () => lake.parked("tides.accepted"), { limitMs, what: "raw to park" });
  expect(parked.reason).toMatch(/does not fit the dataset's definition: note is new and required/);
  await lake.restart({ dataset: tides });
  await send("2026-01-31T07:00:00Z");
  expect(await lake.counts()).toMatchObject({ received: 2, stored: 2 });
});
