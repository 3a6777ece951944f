import type { ComputedAnswer, ComputedPlan } from "@firn/core";
import { Problem } from "@firn/service";
import { canonicalText } from "./cursor.ts";
import { snapshotKey, type PlanSession } from "./plan-session.ts";

/** Reads the rows of every plan and computes the answer, or takes the one that was kept for the same state of them. */
export async function readComputed(plan: ComputedPlan, session: PlanSession, asked: string): Promise<ComputedAnswer> {
  if (plan.plans.length === 0) return plan.compute([]);
  const opened = [];
  for (const one of plan.plans) opened.push(await session.open(one));
  const states = opened.map(snapshotKey).join(" ");
  const key = `${states} ${canonicalText(asked, { context: JSON.stringify(plan.context) })}`;
  const marks = opened.flatMap((one) => one.marks);
  const kept = session.kept(key, marks);
  if (kept !== undefined) return kept;
  const tables = [];
  for (const [index, one] of opened.entries()) {
    const read = await session.read(one, `${key} ${index}`);
    if (read.hasMore) throw tooMuch(one.name, one.plan.limit);
    tables.push(read.table);
  }
  const answer = plan.compute(tables);
  session.keep(key, { ...answer, hasMore: false, marks });
  return answer;
}

function tooMuch(table: string, rowsMax: number): Problem {
  return new Problem(413, "too_much", `the answer needs more than ${rowsMax} rows of ${table}: ask for less`);
}
