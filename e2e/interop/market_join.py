"""The join of the market lake's documents, prices with securities, NAV, metrics and weights, in engines that are not
Firn's: DuckDB's iceberg extension over the REST catalog, as written there but for the date, and PyIceberg's Arrow
tables. Input {"catalog", "port_id", "since"}; prints {"engine": {"rows", "columns", "weight", "nav"}}."""

import json
import sys

import duckdb
from pyiceberg.catalog import load_catalog

from duckdb_lake import attach

JOIN = """
SELECT
    p.trade_date,
    m.ticker,
    m.name,
    p.adj_close,
    n.value as portfolio_nav,
    a.sharpe,
    r.weight
FROM market_data.us_stocks_price p
JOIN reference.tb_meta m
    ON p.meta_id = m.meta_id
JOIN portfolio.tb_nav n
    ON p.trade_date = n.trade_date
JOIN analytics.tb_metrics a
    ON n.port_id = a.port_id
JOIN portfolio.tb_rebalance r
    ON p.meta_id = r.meta_id
    AND p.trade_date >= r.rebal_date
WHERE p.trade_date >= DATE '{since}'
  AND n.port_id = {port_id}
"""
TABLES = ["market_data.us_stocks_price", "reference.tb_meta", "portfolio.tb_nav", "analytics.tb_metrics", "portfolio.tb_rebalance"]


def figures(session, asked):
    rows = session.execute(JOIN.format(**asked)).to_arrow_table()
    session.register("joined", rows)
    count, tickers, weight, nav = session.execute(
        "SELECT count(*), count(DISTINCT ticker), sum(weight), sum(portfolio_nav) FROM joined"
    ).fetchone()
    return {"rows": count, "tickers": tickers, "weight": weight, "nav": nav, "columns": rows.column_names}


def main():
    asked = json.load(sys.stdin)
    lake = attach(asked["catalog"])
    lake.execute("USE lake.market_data")
    found = {"DuckDB": figures(lake, asked)}
    catalog = load_catalog("firn", type="rest", uri=asked["catalog"])
    session = duckdb.connect()
    for name in TABLES:
        namespace, table = name.split(".")
        rows = catalog.load_table(name).scan().to_arrow()
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {namespace}")
        session.register("rows", rows)
        session.execute(f"CREATE TABLE {name} AS SELECT * FROM rows")
        session.unregister("rows")
    found["PyIceberg"] = figures(session, asked)
    print(json.dumps(found))


main()
