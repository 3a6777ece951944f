/** Address by process name, beside the ids of the processes. */
export type Endpoints = Readonly<Record<"ingest" | "query" | "catalog" | "nats", string>> & {
  readonly pids: Readonly<Record<string, number>>;
};

export interface RunningLake {
  readonly dir: string;
  readonly endpoints: Endpoints;
  /** Drains it and removes its folder; `keep` (also BENCH_KEEP=1) leaves the folder. */
  stop(options?: { keep?: boolean }): Promise<void>;
}

export function startLake(options?: {
  env?: Record<string, string>;
  sample?: boolean;
  name?: string;
  /** Names of the processes that are started; all when absent. */
  only?: readonly string[];
}): Promise<RunningLake>;

export function settled(endpoints: Endpoints, limitMs?: number): Promise<unknown>;
