import type { Queryable } from "./relational-database.ts";

/** A row of tb_macro: a series of FRED. */
export interface MacroSeries {
  readonly macro_id: number;
  /** Id of the series at FRED. */
  readonly fred: string;
  readonly description: string;
}

/** All series by macro_id. */
export async function listMacroSeries(database: Queryable): Promise<MacroSeries[]> {
  const { rows } = await database.query<MacroSeries>(
    "SELECT macro_id, fred, description FROM tb_macro ORDER BY macro_id",
  );
  return rows;
}

/** The series of an id of FRED; added with its id for a description where it is not known. */
export async function findOrAddMacroSeries(database: Queryable, fred: string): Promise<MacroSeries> {
  await database.query("INSERT INTO tb_macro (fred, description) VALUES ($1, $1) ON CONFLICT (fred) DO NOTHING", [
    fred,
  ]);
  const { rows } = await database.query<MacroSeries>(
    "SELECT macro_id, fred, description FROM tb_macro WHERE fred = $1",
    [fred],
  );
  return rows[0]!;
}
