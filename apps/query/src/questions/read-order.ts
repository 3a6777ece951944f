import type { Reach } from "@firn/core";
import {
  columnByName,
  compareLiterals,
  decodeSingleValue,
  isNested,
  type DataFile,
  type Literal,
  type Schema,
  type ScanTask,
} from "@firn/lake";

/** Files that are read together at first; each further round doubles what is read in all. */
const FIRST_FILES = 8;

/** Scan tasks in the order in which they may matter, and how far the rest reaches. */
export interface ReadOrder {
  readonly tasks: readonly ScanTask[];
  /** The nearest value of the column that a task from `index` on may have; undefined when it may have any. */
  reachOf(index: number): Literal | undefined;
}

/** Sorts by the bound that is nearest: the lower one going up, the upper one going down. Unknown bounds come first. */
export function readOrder(
  tasks: readonly ScanTask[],
  schema: Schema,
  reach: Pick<Reach, "column" | "direction">,
): ReadOrder {
  const column = columnByName(schema, reach.column)!;
  const sign = reach.direction === "asc" ? 1 : -1;
  const boundOf = (file: DataFile): Literal | undefined => {
    const bytes = (reach.direction === "asc" ? file.lowerBounds : file.upperBounds)?.get(column.id);
    return bytes === undefined || isNested(column.type) ? undefined : decodeSingleValue(column.type, bytes);
  };
  const bounded = tasks.map((task) => ({ task, bound: boundOf(task.file) }));
  bounded.sort((one, other) => {
    if (one.bound === undefined) return other.bound === undefined ? 0 : -1;
    if (other.bound === undefined) return 1;
    return sign * compareLiterals(one.bound, other.bound);
  });
  return { tasks: bounded.map(({ task }) => task), reachOf: (index) => bounded[index]?.bound };
}

/** How many tasks the next round reads when `done` were read and not enough. */
export function nextRound(done: number, total: number): number {
  return Math.min(total, done === 0 ? FIRST_FILES : done * 2);
}

/**
 * True when no row of a file that is left can be among the wanted ones.
 *
 * @param wanted values of the column, of the wanted rows found so far, in the direction of the reach
 * @param enough how many of them make the answer complete
 */
export function isComplete(
  reach: Reach,
  wanted: readonly Literal[],
  enough: number,
  rest: Literal | undefined,
): boolean {
  if (rest === undefined || enough === 0) return enough === 0;
  const last = lastWanted(reach, wanted, enough);
  if (last === undefined) return false;
  const order = compareLiterals(rest, last);
  // A value equal to the last one may still lie in a file that is left.
  return reach.direction === "asc" ? order > 0 : order < 0;
}

/** The value that the rest must not reach: the `enough`-th row's, or the `enough`-th distinct one. */
function lastWanted(reach: Reach, wanted: readonly Literal[], enough: number): Literal | undefined {
  if (reach.until === "limit") return wanted[enough - 1];
  const distinct = [...new Set(wanted)];
  return distinct[enough - 1];
}
