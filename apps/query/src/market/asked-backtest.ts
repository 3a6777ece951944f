import { parseDate, type Parameters } from "@firn/core";
import type { Algorithm, RebalanceFrequency } from "@firn/finance";

/** The parameters of a backtest, as they were asked. */
export interface AskedBacktest {
  readonly metaIds: readonly number[];
  readonly algorithm: Algorithm;
  /** Days since 1970-01-01. */
  readonly startDate: number;
  readonly endDate?: number;
  readonly frequency: RebalanceFrequency;
  readonly costBps: number;
  readonly benchmark: string | undefined;
  readonly saveAs: string | undefined;
}

export function readBacktest(parameters: Parameters): AskedBacktest {
  const end = parameters["end_date"] as string | undefined;
  return {
    metaIds: parameters["meta_ids"] as readonly number[],
    algorithm: parameters["algorithm"] as Algorithm,
    startDate: parseDate(parameters["start_date"] as string)!,
    ...(end === undefined ? {} : { endDate: parseDate(end)! }),
    frequency: parameters["rebal_freq"] as RebalanceFrequency,
    costBps: parameters["cost_bps"] as number,
    benchmark: parameters["benchmark"] as string | undefined,
    saveAs: parameters["save_as"] as string | undefined,
  };
}
