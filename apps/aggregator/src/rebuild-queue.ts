/** The rebuilds of a lane: they wait for a round, and their round for the tables. Whoever asked hears once. */
import type { RebuildReport, RebuildValidation, RoundReport } from "@firn/core";
import { nothingRebuilt, type Rebuild, type RebuildRequest, withValidation } from "./rebuild.ts";

export type RebuildValidations = ReadonlyMap<Rebuild, RebuildValidation>;

export class RebuildQueue {
  #waiting: Rebuild[] = [];
  /** Those whose round is published and not yet in all tables. */
  #landing: { readonly rebuild: Rebuild; readonly report: RebuildReport }[] = [];

  /** Resolves when what was asked for is in the tables, or was judged and refused. */
  ask(request: RebuildRequest): Promise<RebuildReport> {
    return new Promise((done, failed) => this.#waiting.push({ request, done, failed }));
  }

  /** Whether one waits for the next round. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Those that the round takes which starts now. Where it fails it tells them itself. */
  take(): readonly Rebuild[] {
    return this.#waiting.splice(0);
  }

  /** Their round is on its way into the tables. */
  published(rebuilds: readonly Rebuild[], report: RoundReport, validations: RebuildValidations): void {
    for (const rebuild of rebuilds)
      this.#landing.push({ rebuild, report: withValidation(report, validations.get(rebuild)) });
  }

  /** All rounds that were published are in all tables. */
  landed(): void {
    for (const { rebuild, report } of this.#landing.splice(0)) rebuild.done(report);
  }

  /** Their round was not published: who asked for a validation that failed hears so, the others wait again. */
  refused(rebuilds: readonly Rebuild[], report: RoundReport, validations: RebuildValidations): void {
    for (const rebuild of rebuilds) {
      const validation = validations.get(rebuild);
      if (validation?.ok === false) rebuild.done(withValidation(report, validation));
      else this.#waiting.push(rebuild);
    }
  }

  /** Raw has no row: there is nothing to do for those that wait. */
  nothingToDo(): void {
    for (const { request, done } of this.#waiting.splice(0)) done(nothingRebuilt(request));
  }

  /** The lane is not done here any more. */
  end(error: Error): void {
    for (const { failed } of this.#waiting.splice(0)) failed(error);
    for (const { rebuild } of this.#landing.splice(0)) rebuild.failed(error);
  }
}
