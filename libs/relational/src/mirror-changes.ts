import type { Queryable } from "./relational-database.ts";

/** Channel on which the database tells of changes to mirrored relations. */
export const mirrorChannel = "mirror_changes";

/** A change of a mirrored relation, in the order in which they are to be carried over. */
export interface MirrorChange {
  readonly change_id: number;
  readonly relation: string;
  readonly is_delete: boolean;
  /** The whole row, before a deletion the one that went. */
  readonly content: Readonly<Record<string, string | number | boolean | null>>;
}

/** The oldest changes that were not yet carried over. */
export async function nextMirrorChanges(database: Queryable, limit: number): Promise<MirrorChange[]> {
  const { rows } = await database.query<MirrorChange>(
    "SELECT change_id, relation, is_delete, content FROM mirror_changes ORDER BY change_id LIMIT $1",
    [limit],
  );
  return rows;
}

/** Forgets changes that are safely on their way; one that is carried over twice does no harm. */
export async function forgetMirrorChanges(database: Queryable, changes: readonly MirrorChange[]): Promise<void> {
  await database.query("DELETE FROM mirror_changes WHERE change_id = ANY($1::bigint[])", [
    changes.map((change) => change.change_id),
  ]);
}
