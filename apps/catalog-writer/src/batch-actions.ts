import type { KernelConnection } from "@firn/lake";
import { RowAction } from "./resolve.ts";

/** Names of temporary tables (row) of a batch's records by what becomes of them; all others are new rows. */
export interface BatchActions {
  readonly notNew: string;
  readonly replaced: string;
  readonly removed: string;
  /** Records of one slice, filled by `storeRows`. */
  readonly slice: string;
}

export async function storeActions(connection: KernelConnection, actions: Uint8Array): Promise<BatchActions> {
  const tables = {
    notNew: "batch_not_new",
    replaced: "batch_replaced",
    removed: "batch_removed",
    slice: "batch_slice",
  };
  const rowsWhere = (wanted: (action: number) => boolean) => {
    const rows: number[] = [];
    for (let row = 0; row < actions.length; row++) if (wanted(actions[row]!)) rows.push(row);
    return Int32Array.from(rows);
  };
  const notNew = rowsWhere((action) => action !== RowAction.append);
  await storeRows(connection, tables.notNew, notNew);
  const replaced = rowsWhere((action) => action === RowAction.replace);
  await storeRows(connection, tables.replaced, replaced);
  const removed = rowsWhere((action) => action === RowAction.remove);
  await storeRows(connection, tables.removed, removed);
  return tables;
}

/** Makes a temporary table (row) of these records. */
export async function storeRows(connection: KernelConnection, table: string, rows: Int32Array): Promise<void> {
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (row INTEGER)`);
  await connection.appendIntegers(table, rows);
}
