import type { SqlSession } from "./spark.mjs";
export function whyNoTrino(): string | undefined;
export function startTrino(options: { readonly catalogUri: string; readonly heap?: string }): Promise<SqlSession>;
