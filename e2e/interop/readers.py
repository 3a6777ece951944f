"""Reads the health tables with PyIceberg and with DuckDB's iceberg extension, both through the REST catalog.

Usage: readers.py CATALOG_URI. Prints one JSON object: {reader: {table: {figure: value}}}.
"""
import json
import os
import sys

import duckdb
import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog

uri = sys.argv[1]
namespace = "health_db"
# Sums as each table's figures: column → what is summed.
figures = {
    "health_data_raw": ["value"],
    "health_data_errors": ["kafka_offset"],
    "health_data_daily_agg": ["sum_value", "record_count", "first_value"],
    "health_data_weekly_agg": ["sum_value", "record_count", "day_count"],
    "health_data_monthly_agg": ["sum_value", "record_count", "daily_avg_of_avg"],
}


def with_pyiceberg():
    catalog = load_catalog("firn", type="rest", uri=uri)
    result = {}
    for name, sums in figures.items():
        table = catalog.load_table((namespace, name)).scan().to_arrow()
        result[name] = {"rows": table.num_rows} | {f"sum({c})": float(pc.sum(table[c]).as_py() or 0) for c in sums}
    return result


def with_duckdb():
    site = os.path.dirname(os.path.dirname(duckdb.__file__))
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for extension in ("avro", "httpfs", "iceberg"):
        path = f"{site}/duckdb_extension_{extension}/extensions/v{duckdb.__version__}/{extension}.duckdb_extension"
        connection.execute(f"LOAD '{path}'")
    connection.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none')")
    result = {}
    for name, sums in figures.items():
        columns = ", ".join(["count(*)"] + [f"coalesce(sum({c}), 0)::double" for c in sums])
        row = connection.execute(f"SELECT {columns} FROM lake.{namespace}.{name}").fetchone()
        result[name] = {"rows": row[0]} | {f"sum({c})": row[i + 1] for i, c in enumerate(sums)}
    return result


print(json.dumps({"PyIceberg": with_pyiceberg(), "DuckDB": with_duckdb()}))
