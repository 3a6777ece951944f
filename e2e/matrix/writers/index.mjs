import { duckdb } from "./duckdb.mjs";
import { firn } from "./firn.mjs";
import { pyiceberg } from "./pyiceberg.mjs";
import { spark } from "./spark.mjs";
import { trino } from "./trino.mjs";

export const writers = [firn, pyiceberg, spark, duckdb, trino];
