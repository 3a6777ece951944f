import type { Stage } from "./service.ts";

/**
 * Runs stages that share what they work with. When one fails the others are asked to end too, and only when all have
 * drained is the failure thrown: the caller may then close what they shared.
 */
export async function runTogether(stages: readonly Stage[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const both = AbortSignal.any([signal, failed.signal]);
  const failures: unknown[] = [];
  const runs = stages.map((stage) =>
    stage.run(both).catch((error: unknown) => {
      failures.push(error);
      failed.abort();
    }),
  );
  await Promise.all(runs);
  if (failures.length > 0) throw failures[0];
}
