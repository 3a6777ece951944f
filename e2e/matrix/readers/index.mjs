import { chdb } from "./chdb.mjs";
import { duckdb } from "./duckdb.mjs";
import { firn } from "./firn.mjs";
import { flink } from "./flink.mjs";
import { pyiceberg } from "./pyiceberg.mjs";
import { spark } from "./spark.mjs";
import { trino } from "./trino.mjs";

export const readers = [firn, pyiceberg, spark, duckdb, chdb, trino, flink];
