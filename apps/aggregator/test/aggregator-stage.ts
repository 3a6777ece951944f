/** The rollups of one dataset in one process, without sharing: a stage for each lane, side by side. */
import { type RebuildReport, rollupLanes } from "@firn/core";
import type { Kernel } from "@firn/lake";
import { runTogether } from "@firn/service";
import { LaneStage, type LaneStageOptions } from "../src/lane-stage.ts";
import { rebuildLanes } from "../src/rebuild-lanes.ts";
import type { RebuildRequest } from "../src/rebuild.ts";

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

  rebuild(request: RebuildRequest): Promise<RebuildReport> {
    return rebuildLanes(this.#lanes, request);
  }
}
