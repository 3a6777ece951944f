/** Rows of a statement, each an array; whole numbers, decimals, dates and times are text (java/JsonText.java). */
export interface SqlSession {
  readonly pid: number;
  sql(statement: string): Promise<unknown[][]>;
  stop(): Promise<void>;
}
export function startSpark(options: {
  readonly catalogUri: string;
  readonly catalog?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly heap?: string;
  readonly limitMs?: number;
}): Promise<SqlSession>;
