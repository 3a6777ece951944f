"""Computes every aggregate from raw with a plain GROUP BY in DuckDB's iceberg extension and compares it with the table.

Usage: rollups.py CATALOG_URL NAMESPACE. Shares nothing with the product: periods come from raw's local_date, the
spread is the textbook's two passes, and the instants at which days begin and end come from pytz.
Prints one JSON object: {table: {"rows": n, "columns": {column: rows that differ}}}.
"""

import json
import re
import sys
from datetime import datetime, timedelta, timezone
from functools import lru_cache

import pytz
from duckdb_lake import attach

TOLERANCE = 1e-9
KEYS = ["user_id", "data_type"]
EVENT_ORDER = "start_date, sample_id"

ZONE = """coalesce(metadata['HKTimeZone'], timezone, CASE WHEN timezone_offset IS NOT NULL THEN
    format('{}{:02d}:{:02d}', CASE WHEN timezone_offset < 0 THEN '-' ELSE '+' END,
      abs(timezone_offset) // 60, abs(timezone_offset) % 60) END, 'UTC')"""

WINDOW = f"""min(value) AS min_value, max(value) AS max_value, sum(value) / count(value) AS avg_value,
    sum(value) AS sum_value, count(value) AS "count", sqrt(sum((value - mean) ** 2) / count(value)) AS stddev_value,
    count(*) AS record_count, last(zone ORDER BY {EVENT_ORDER}) AS timezone"""

DAYS = """count(DISTINCT local_date) AS day_count, sum(value) / count(DISTINCT local_date) AS daily_avg_of_sum,
    sum(day_mean / day_rows) / count(DISTINCT local_date) AS daily_avg_of_avg"""

PERIODS = {
    "health_data_daily_agg": {
        "start": "local_date",
        "first_day": "aggregation_date",
        "last_day": "aggregation_date",
        "columns": {"aggregation_date": "strftime(period, '%Y-%m-%d')"},
        "measures": f"{WINDOW}, first(value ORDER BY {EVENT_ORDER}) AS first_value, "
        f"last(value ORDER BY {EVENT_ORDER}) AS last_value",
    },
    "health_data_weekly_agg": {
        "start": "local_date - CAST(isodow(local_date) - 1 AS INTEGER)",
        "first_day": "week_start_date",
        "last_day": "week_end_date",
        "columns": {
            "week_start_date": "strftime(period, '%Y-%m-%d')",
            "week_end_date": "strftime(period + 6, '%Y-%m-%d')",
            "year": "strftime(period, '%G')::BIGINT",
            "week_of_year": "strftime(period, '%V')::BIGINT",
        },
        "measures": f"{WINDOW}, {DAYS}",
    },
    "health_data_monthly_agg": {
        "start": "make_date(year(local_date), month(local_date), 1)",
        "first_day": "month_start_date",
        "last_day": "month_end_date",
        "columns": {
            "month_start_date": "strftime(period, '%Y-%m-%d')",
            "month_end_date": "strftime(period + INTERVAL 1 MONTH - INTERVAL 1 DAY, '%Y-%m-%d')",
            "year": "year(period)",
            "month": "month(period)",
        },
        "measures": f"{WINDOW}, {DAYS}",
    },
}


def recomputed(raw, period):
    """The aggregate's rows by SQL, all columns but window_start, window_end and updated_at."""
    calendar = ", ".join(f"{sql} AS {name}" for name, sql in period["columns"].items())
    by_day = "PARTITION BY user_id, data_type, local_date"
    by_period = "PARTITION BY user_id, data_type, period"
    return f"""WITH samples AS (SELECT *, {ZONE} AS zone, {period['start']} AS period FROM {raw}),
      means AS (SELECT *, avg(value) OVER ({by_period}) AS mean,
        avg(value) OVER ({by_day}) AS day_mean, count(*) OVER ({by_day}) AS day_rows FROM samples)
      SELECT user_id, data_type, {calendar}, {period['measures']} FROM means GROUP BY user_id, data_type, period"""


def compare(session, namespace, name, period):
    table = f"lake.{namespace}.{name}"
    session.execute(f"CREATE OR REPLACE TABLE wanted AS {recomputed(f'lake.{namespace}.health_data_raw', period)}")
    session.execute(f"CREATE OR REPLACE TABLE found AS SELECT * FROM {table}")
    types = dict(session.execute("SELECT column_name, column_type FROM (DESCRIBE wanted)").fetchall())
    start = next(iter(period["columns"]))
    same_key = " AND ".join(f"w.{key} = f.{key}" for key in [*KEYS, start])
    columns = {"rows on one side": f"count(*) FILTER (w.{start} IS NULL OR f.{start} IS NULL)"}
    for column, kind in types.items():
        w, f = f'w."{column}"', f'f."{column}"'
        differs = f"abs({w} - {f}) > {TOLERANCE} * greatest(1, abs({w}))" if kind == "DOUBLE" else f"{w} <> {f}"
        if column not in [*KEYS, start]:
            columns[column] = f"count(*) FILTER ({differs} OR ({w} IS NULL) <> ({f} IS NULL))"
    counts = session.execute(f"SELECT {', '.join(columns.values())} FROM wanted w FULL JOIN found f ON {same_key}")
    result = dict(zip(columns, counts.fetchone(), strict=True))
    result |= bounds_that_differ(session, period)
    return {"rows": session.execute("SELECT count(*) FROM wanted").fetchone()[0], "columns": result}


def bounds_that_differ(session, period):
    rows = session.execute(
        f"SELECT {period['first_day']}::DATE, {period['last_day']}::DATE, timezone, "
        "epoch_us(window_start), epoch_us(window_end) FROM found"
    ).fetchall()
    starts = sum(midnight_us(zone, first, min) != start for first, _, zone, start, _ in rows)
    ends = sum(midnight_us(zone, last + timedelta(days=1), max) != end for _, last, zone, _, end in rows)
    return {"window_start": starts, "window_end": ends}


@lru_cache(maxsize=None)
def midnight_us(name, day, choose):
    """When a date begins in a zone, in microseconds since the epoch.

    Where midnight comes twice, `choose` takes the first (min) or the last (max) of the two. Where it never comes,
    because the clock jumps over it, the date begins at the jump.
    """
    naive = datetime(day.year, day.month, day.day)
    offset = re.fullmatch(r"([+-])(\d\d):(\d\d)", name)
    if offset:
        minutes = int(offset[1] + "1") * (int(offset[2]) * 60 + int(offset[3]))
        instants = [naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))]
    else:
        zone = pytz.timezone(name)
        instants = [zone.localize(naive, is_dst=dst) for dst in (True, False)]
        real = [instant for instant in instants if zone.normalize(instant).replace(tzinfo=None) == naive]
        # In a gap both readings are off; the later one, by the offset before the jump, is the jump itself.
        instants = real or [max(instants)]
    return round(choose(instants).timestamp()) * 1_000_000


def main():
    session = attach(sys.argv[1])
    print(json.dumps({name: compare(session, sys.argv[2], name, period) for name, period in PERIODS.items()}))


main()
