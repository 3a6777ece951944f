export type ProcessName =
  "nats" | "database" | "catalog" | "catalog-writer" | "validator" | "aggregator" | "query" | "ingest" | "market";

/** In the order in which they start; they end in the opposite order, but for ingest and query. */
export declare const PROCESS_NAMES: readonly ProcessName[];

export interface StartOptions {
  readonly once: boolean;
  readonly sample: boolean;
  /** Absolute. */
  readonly dataDir: string;
  readonly autoPorts: boolean;
  readonly only: readonly ProcessName[];
}

export type ParsedStart =
  | { readonly kind: "start"; readonly options: StartOptions }
  /** Help (exit code 0) or a wrong argument (2): print the text and end. */
  | { readonly kind: "end"; readonly exitCode: 0 | 2; readonly text: string };

export declare function parseStartArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedStart;
