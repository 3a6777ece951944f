/** The rollups of one dataset: a stage for each lane, side by side. */
import { rollupLanes } from "@firn/core";
import type { Kernel } from "@firn/lake";
import { runTogether } from "@firn/service";
import { LaneStage, type LaneStageOptions } from "./lane-stage.ts";
import type { RebuildRequest, RoundReport } from "./rebuild.ts";

export interface AggregatorStageOptions extends Omit<LaneStageOptions, "connection" | "lane"> {
  readonly kernel: Pick<Kernel, "connect">;
}

export class AggregatorStage {
  readonly #lanes: readonly LaneStage[];

  private constructor(lanes: readonly LaneStage[]) {
    this.#lanes = lanes;
  }

  static async open({ kernel, ...options }: AggregatorStageOptions): Promise<AggregatorStage> {
    const lanes: LaneStage[] = [];
    for (const lane of rollupLanes(options.dataset))
      lanes.push(new LaneStage({ ...options, lane, connection: await kernel.connect() }));
    return new AggregatorStage(lanes);
  }

  /** How long each lane's oldest change waits, in seconds, by the lane's name. */
  lagSeconds(nowMs: number): Map<string, number> {
    return new Map(this.#lanes.map((stage) => [stage.name, stage.lagSeconds(nowMs)]));
  }

  async run(signal: AbortSignal): Promise<void> {
    await runTogether(this.#lanes, signal);
  }

  /**
   * Computes the windows of a range of local dates anew, lane after lane: weeks and months are made from days. Resolves
   * when all of it is in the tables, or with the first lane whose validation failed.
   */
  async rebuild(request: RebuildRequest): Promise<RoundReport> {
    for (const date of [request.from, request.to])
      if (date !== undefined && !isDate(date)) throw new Error("from and to must be dates as YYYY-MM-DD");
    const reports: RoundReport[] = [];
    for (const lane of this.#lanes) {
      const report = await lane.rebuild(request);
      reports.push(report);
      if (report.validation?.ok === false) break;
    }
    const sum = (of: (report: RoundReport) => number) => reports.reduce((total, report) => total + of(report), 0);
    const validations = reports.flatMap(({ validation }) => validation ?? []);
    return {
      windows: reports[0]?.windows ?? 0,
      rows: sum(({ rows }) => rows),
      durationMs: sum(({ durationMs }) => durationMs),
      ...(validations.length === 0
        ? {}
        : {
            validation: {
              ok: validations.every(({ ok }) => ok),
              rollups: validations.flatMap(({ rollups }) => rollups),
            },
          }),
    };
  }
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && Number.isFinite(Date.parse(`${text}T00:00:00Z`));
}
