import type { ColumnDefinition, PartitionTransform, RecordTable, TableDefinition } from "@firn/core";

import { errorsTable } from "../errors-table.ts";
import { optional, partitionField, required } from "../table-columns.ts";
import { tableProperties } from "../table-properties.ts";

/** Tables of the market lake: four namespaces, every row named by its identity. */

const PROPERTIES = tableProperties({ codec: "zstd", targetFileMb: 128 });

/** One ticker is asked for at a time: small row groups (Firn's own property) let a question leave out the others. */
const PRICE_PROPERTIES: Readonly<Record<string, string>> = {
  ...PROPERTIES,
  "firn.parquet.row-group-rows": String(16 * 1024),
};

const UPDATED_AT = optional("updated_at", "timestamptz", "when the row was stored or last changed");

/** Columns that say nothing about the fact itself: two rows that differ in them alone are the same. */
const ABOUT_THE_ROW: ReadonlySet<string> = new Set([UPDATED_AT.name]);

interface MarketTable {
  readonly namespace: string;
  readonly name: string;
  readonly identity: readonly string[];
  readonly columns: readonly ColumnDefinition[];
  /** Absent: not partitioned. */
  readonly partition?: readonly [source: string, transform: PartitionTransform, name: string];
  readonly sort?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

function tableOf(table: MarketTable): TableDefinition {
  const { namespace, name, identity, columns, partition, properties = PROPERTIES } = table;
  return {
    namespace,
    name,
    columns,
    identity,
    partition: partition === undefined ? [] : [partitionField(...partition)],
    sort: table.sort ?? identity,
    properties,
  };
}

/** A table whose rows are told apart by their identity, and whose other columns are what a repeat is compared by. */
function recordTable(table: MarketTable, derived?: RecordTable["derived"]): RecordTable {
  const definition = tableOf(table);
  const apart = new Set([...definition.identity, ...ABOUT_THE_ROW, ...(derived === undefined ? [] : [derived.column])]);
  const content = definition.columns.map(({ name }) => name).filter((name) => !apart.has(name));
  return { definition, content, ...(derived === undefined ? {} : { derived }) };
}

function priceTable(name: string): RecordTable {
  return recordTable(
    {
      namespace: "market_data",
      name,
      identity: ["meta_id", "trade_date"],
      columns: [
        required("meta_id", "int", "tb_meta's number of the security"),
        required("trade_date", "date", "day of trading on its exchange"),
        optional("close", "double", "price at the close, as traded"),
        optional("adj_close", "double", "close adjusted for splits and dividends"),
        optional("gross_return", "double", "adj_close over the one of the day before it in the table, less 1"),
        optional("volume", "long", "shares traded"),
        UPDATED_AT,
      ],
      partition: ["trade_date", "month", "trade_month"],
      properties: PRICE_PROPERTIES,
    },
    { column: "gross_return", kind: "change_from_previous", of: "adj_close", series: ["meta_id"], order: "trade_date" },
  );
}

const METRICS: readonly ColumnDefinition[] = [
  optional("ann_ret", "double", "return a year of 252 days"),
  optional("ann_vol", "double", "standard deviation of daily returns, a year"),
  optional("sharpe", "double"),
  optional("mdd", "double", "deepest fall below an earlier high, a negative fraction"),
  optional("skew", "double"),
  optional("kurt", "double", "excess kurtosis"),
  optional("var", "double", "5 % quantile of daily returns"),
  optional("cvar", "double", "mean of the daily returns at or below var"),
];

const PORTFOLIO_TABLES: readonly RecordTable[] = [
  recordTable({
    namespace: "portfolio",
    name: "tb_nav",
    identity: ["trade_date", "port_id"],
    columns: [
      required("trade_date", "date"),
      required("port_id", "int", "tb_portfolio's number of the portfolio"),
      required("value", "double", "net asset value"),
      optional("cash", "double"),
      optional("total_value", "double"),
      UPDATED_AT,
    ],
    partition: ["trade_date", "month", "trade_month"],
    sort: ["port_id", "trade_date"],
  }),
  recordTable({
    namespace: "portfolio",
    name: "tb_rebalance",
    identity: ["rebal_date", "port_id", "meta_id"],
    columns: [
      required("rebal_date", "date"),
      required("port_id", "int"),
      required("meta_id", "int"),
      required("weight", "double", "share of the portfolio's value, a fraction"),
    ],
    partition: ["rebal_date", "year", "rebal_year"],
    sort: ["port_id", "rebal_date", "meta_id"],
  }),
];

const ANALYTICS_TABLES: readonly RecordTable[] = [
  recordTable({
    namespace: "analytics",
    name: "tb_signals",
    identity: ["signal_date", "algorithm", "meta_id"],
    columns: [
      required("signal_date", "date"),
      required("algorithm", "string"),
      required("meta_id", "int"),
      optional("score", "double"),
      optional("weight", "double"),
      UPDATED_AT,
    ],
    partition: ["signal_date", "identity", "signal_date"],
  }),
  recordTable({
    namespace: "analytics",
    name: "tb_backtests",
    identity: ["run_id"],
    columns: [
      required("run_id", "string"),
      required("run_date", "date"),
      optional("port_id", "int", "portfolio that the run was saved as"),
      required("algorithm", "string"),
      required("meta_ids", "string", "securities of the run as a JSON array of their numbers"),
      required("start_date", "date"),
      required("end_date", "date"),
      required("rebal_freq", "string"),
      required("cost_bps", "double"),
      ...METRICS,
      UPDATED_AT,
    ],
    partition: ["run_date", "identity", "run_date"],
  }),
  recordTable({
    namespace: "analytics",
    name: "tb_factor_returns",
    identity: ["calc_date", "factor"],
    columns: [required("calc_date", "date"), required("factor", "string"), required("value", "double"), UPDATED_AT],
    partition: ["calc_date", "month", "calc_month"],
  }),
  recordTable({
    namespace: "analytics",
    name: "tb_metrics",
    identity: ["port_id"],
    columns: [required("port_id", "int"), ...METRICS, UPDATED_AT],
  }),
  recordTable({
    namespace: "analytics",
    name: "tb_quality",
    identity: ["check_date", "table_name", "rule", "subject"],
    columns: [
      required("check_date", "date", "day (UTC) of the check"),
      required("table_name", "string", "namespace and name of the table that was looked at"),
      required("rule", "string", "freshness, nulls, returns, volume or gaps"),
      required("subject", "string", "ticker or series; all where the rule is of the table"),
      required("passed", "boolean"),
      required("findings", "long", "rows or days that break the rule"),
      optional("detail", "string", "what was found, in a sentence"),
      UPDATED_AT,
    ],
    partition: ["check_date", "month", "check_month"],
  }),
];

const REFERENCE_TABLES: readonly RecordTable[] = [
  recordTable({
    namespace: "reference",
    name: "tb_macro_data",
    identity: ["macro_id", "base_date"],
    columns: [
      required("macro_id", "int", "tb_macro's number of the series"),
      required("base_date", "date"),
      optional("value", "double"),
      optional("fred_series_id", "string"),
      UPDATED_AT,
    ],
    partition: ["base_date", "month", "base_month"],
  }),
  recordTable({
    namespace: "reference",
    name: "tb_calendar",
    identity: ["iso_code", "trade_date"],
    columns: [
      required("iso_code", "string", "US or KR"),
      required("trade_date", "date"),
      required("is_open", "boolean"),
      UPDATED_AT,
    ],
    partition: ["trade_date", "year", "year"],
  }),
  recordTable({
    namespace: "reference",
    name: "tb_exchange_rates",
    identity: ["base", "quote", "rate_date"],
    columns: [
      required("base", "string", "currency of which one unit is priced"),
      required("quote", "string", "currency that it is priced in"),
      required("rate_date", "date"),
      required("rate", "double"),
      UPDATED_AT,
    ],
    partition: ["rate_date", "month", "date_month"],
  }),
  recordTable({
    namespace: "reference",
    name: "tb_meta",
    identity: ["meta_id"],
    columns: [
      required("meta_id", "int"),
      required("ticker", "string"),
      optional("name", "string"),
      optional("isin", "string"),
      optional("security_type", "string"),
      optional("asset_class", "string"),
      optional("sector", "string"),
      required("iso_code", "string", "US or KR"),
      optional("marketcap", "double"),
      optional("fee", "double"),
      optional("min_date", "date"),
      optional("max_date", "date"),
      UPDATED_AT,
    ],
  }),
];

export interface MarketTables {
  readonly usPrices: RecordTable;
  /** All others in a fixed order. */
  readonly others: readonly RecordTable[];
  readonly errors: TableDefinition;
}

/** The tables of the market lake in its four namespaces. */
export function marketTables(): MarketTables {
  return {
    usPrices: priceTable("us_stocks_price"),
    others: [priceTable("kr_stocks_price"), ...PORTFOLIO_TABLES, ...ANALYTICS_TABLES, ...REFERENCE_TABLES],
    errors: errorsTable("market_data", "market_errors", PROPERTIES),
  };
}
