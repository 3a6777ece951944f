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
