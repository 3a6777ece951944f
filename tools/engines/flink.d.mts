import type { SqlSession } from "./spark.mjs";
export function startFlink(options: { readonly catalogUri: string; readonly heap?: string }): Promise<SqlSession>;
