"""Reads every table with the query service, PyIceberg and DuckDB's iceberg extension and tells the same figures of each.

Standard input: {"catalog": URL, "query": URL, "namespace": name, "figures": as in figures.mjs}.
Prints one JSON object: {"readers": {reader: {table: {figure: value}}}, "differences": {"table: reader": rows},
"delete_files": {table: files that PyIceberg plans to apply}}. Instants are microseconds since the epoch.
"""

import json
import sys
import urllib.parse
import urllib.request

import pyarrow as pa
import pyarrow.compute as pc
from duckdb_lake import attach
from pyiceberg.catalog import load_catalog

ARROW = "application/vnd.apache.arrow.stream"
PAGE_ROWS = 10_000
PERIODS = {"health_data_daily_agg": "daily", "health_data_weekly_agg": "weekly", "health_data_monthly_agg": "monthly"}


def figures_of_arrow(table, spec):
    low_high = lambda column: pc.min_max(column).as_py().values()
    least, greatest = low_high(table[spec["instant"]].cast(pa.timestamp("us", "UTC")).cast(pa.int64()))
    first, last = low_high(table[spec["text"]])
    figures = {
        "rows": table.num_rows,
        "distinct identities": table.group_by(spec["identity"]).aggregate([]).num_rows,
        **{f"sum({name})": float(pc.sum(table[name]).as_py() or 0) for name in spec["sums"]},
        f"min({spec['instant']})": least,
        f"max({spec['instant']})": greatest,
        f"min({spec['text']})": first,
        f"max({spec['text']})": last,
    }
    if "map" in spec:
        column, key = spec["map"]["column"], spec["map"]["key"]
        found = [pc.map_lookup(chunk, key, "first") for chunk in table[column].chunks]
        figures[f"rows with {column}[{key}]"] = sum(len(values) - values.null_count for values in found)
    return figures


def figures_of_duckdb(session, relation, spec):
    instant, text = spec["instant"], spec["text"]
    columns = {
        "rows": "count(*)",
        "distinct identities": f"count(DISTINCT ({', '.join(spec['identity'])}))",
        **{f"sum({name})": f"coalesce(sum({name}), 0)::DOUBLE" for name in spec["sums"]},
        **{f"{fold}({instant})": f"epoch_us({fold}({instant}))" for fold in ("min", "max")},
        **{f"{fold}({text})": f"{fold}({text})" for fold in ("min", "max")},
    }
    if "map" in spec:
        column, key = spec["map"]["column"], spec["map"]["key"]
        columns[f"rows with {column}[{key}]"] = f"count(*) FILTER (map_contains({column}, '{key}'))"
    row = session.execute(f"SELECT {', '.join(columns.values())} FROM {relation}").fetchone()
    return dict(zip(columns, row, strict=True))


def asked(query, question, **parameters):
    """Every row of a question of the query service, page by page, as Arrow."""
    pages = []
    cursor = None
    while cursor is not None or not pages:
        search = urllib.parse.urlencode(parameters | ({"cursor": cursor} if cursor else {}))
        request = urllib.request.Request(f"{query}/api/health/{question}?{search}", headers={"Accept": ARROW})
        with urllib.request.urlopen(request, timeout=60) as answer:
            pages.append(pa.ipc.open_stream(answer.read()).read_all().replace_schema_metadata())
            cursor = answer.headers.get("firn-cursor")
    return pa.concat_tables(pages)


def ask_for_all(query, table, users):
    if table == "health_data_errors":
        return asked(query, "errors", limit=PAGE_ROWS)
    if table == "health_data_raw":
        return pa.concat_tables([asked(query, "raw", user_id=user, limit=PAGE_ROWS) for user in users])
    parts = []
    for user in users:
        types = asked(query, "types", user_id=user)["data_type"].to_pylist()
        if types:
            parts.append(asked(query, PERIODS[table], user_id=user, data_type=",".join(types)))
    return pa.concat_tables(parts)


def rows_that_differ(session, relation, arrow):
    """Rows that one of the two has and the other has not, every column compared."""
    session.register("other", arrow)
    columns = ", ".join(f'"{name}"' for name in arrow.column_names)
    one, other = f"SELECT {columns} FROM {relation}", f"SELECT {columns} FROM other"
    difference = f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})"
    count = session.execute(f"SELECT count(*) FROM ({difference})").fetchone()[0]
    session.unregister("other")
    return count


def main():
    ask = json.load(sys.stdin)
    catalog = load_catalog("firn", type="rest", uri=ask["catalog"])
    session = attach(ask["catalog"])
    readers = {"Firn": {}, "PyIceberg": {}, "DuckDB": {}}
    differences, delete_files = {}, {}
    raw = f"lake.{ask['namespace']}.health_data_raw"
    users = [row[0] for row in session.execute(f"SELECT DISTINCT user_id FROM {raw}").fetchall()]
    for name, spec in ask["figures"].items():
        relation = f"lake.{ask['namespace']}.{name}"
        readers["DuckDB"][name] = figures_of_duckdb(session, relation, spec)
        scan = catalog.load_table((ask["namespace"], name)).scan()
        delete_files[name] = len({file.file_path for task in scan.plan_files() for file in task.delete_files})
        for reader, arrow in (("PyIceberg", scan.to_arrow()), ("Firn", ask_for_all(ask["query"], name, users))):
            readers[reader][name] = figures_of_arrow(arrow, spec)
            differences[f"{name}: {reader}"] = rows_that_differ(session, relation, arrow)
    print(json.dumps({"readers": readers, "differences": differences, "delete_files": delete_files}))


main()
