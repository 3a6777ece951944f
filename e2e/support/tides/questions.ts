import type { DatasetQuestion, TableDefinition } from "@firn/core";

/** Questions of the tides lake's own, answered from its days. */
export function tideQuestions(daily: TableDefinition): readonly DatasetQuestion[] {
  return [
    {
      name: "range",
      summary: "How far the water of a gauge rises and falls",
      doc: "One row a gauge that has readings since the day, from its highest to its lowest reading.",
      parameters: [
        { name: "gauge", kind: "texts", itemsMax: 100, doc: "One or several gauges, separated by commas." },
        { name: "since", kind: "date", required: true, doc: "First day, inclusive.", example: "2026-01-31" },
        { name: "at_least", kind: "integer", min: 0, default: 0, doc: "Only gauges with so many centimetres." },
      ],
      columns: [
        { name: "gauge", type: "string" },
        { name: "range_cm", type: "long", doc: "From the lowest to the highest reading." },
      ],
      order: [
        { name: "range_cm", direction: "desc" },
        { name: "gauge", direction: "asc" },
      ],
      select: ({ gauge, since, at_least: least }) => ({
        table: daily,
        where: [
          { op: "gte", column: "day", value: since as string },
          ...(gauge === undefined ? [] : [{ op: "in", column: "gauge", values: gauge as readonly string[] } as const]),
        ],
        reads: ["gauge", "day", "highest_cm", "lowest_cm"],
        sql: (rows) => `SELECT gauge, max(highest_cm) - min(lowest_cm) AS range_cm FROM ${rows} GROUP BY gauge
          HAVING range_cm >= ${Number(least)}`,
      }),
    },
  ];
}
