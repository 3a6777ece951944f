"""One step of bench/lake by PyIceberg: `pyiceberg_side.py STEP CATALOG_URI`, input as JSON, answer as JSON."""

import datetime
import json
import resource
import sys
import time

import pyarrow.parquet as pq
import pyiceberg
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import And, EqualTo
from pyiceberg.manifest import clear_manifest_cache


class Runs:
    """Wall clock and CPU of each run, in milliseconds."""

    def __init__(self):
        self.runs = []

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def __exit__(self, *_):
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        self.runs.append({"wallMs": wall * 1000, "cpuMs": cpu * 1000})


def append(catalog, given, runs):
    """Reads a Parquet file and appends it, to one table a round."""
    rows = 0
    for name in given["tables"]:
        table = catalog.load_table(name)
        with runs:
            source = pq.read_table(given["source"])
            table.append(source.cast(table.schema().as_arrow()))
        rows = source.num_rows
    return rows


def upsert(catalog, given, runs):
    table = catalog.load_table(given["table"])
    with runs:
        source = pq.read_table(given["source"])
        result = table.upsert(source.cast(table.schema().as_arrow()), join_cols=["id"])
    return result.rows_updated + result.rows_inserted


def predicate(where):
    """Equalities by column; a date as days since 1970."""
    terms = [EqualTo(name, datetime.date(1970, 1, 1) + datetime.timedelta(days=value) if name == "local_date" else value)
             for name, value in where.items()]
    return terms[0] if len(terms) == 1 else And(*terms)


def plan(catalog, given, runs):
    """Plans a scan; cold: the manifests that are known are forgotten before."""
    table = catalog.load_table(given["table"])
    files = 0
    for where in given["questions"]:
        if given["cold"]:
            clear_manifest_cache()
        scan = table.scan(row_filter=predicate(where)) if where else table.scan()
        with runs:
            files = len(list(scan.plan_files()))
    return files


def open_table(catalog, given, runs):
    """Loads a table from the catalog and lists its files."""
    files = 0
    for _ in range(given["times"]):
        if given["cold"]:
            clear_manifest_cache()
        with runs:
            table = catalog.load_table(given["table"])
            files = len(list(table.scan().plan_files()))
    return files


def compact(catalog, given, runs):
    """The nearest that PyIceberg has: reads the table and overwrites it."""
    table = catalog.load_table(given["table"])
    with runs:
        table.overwrite(table.scan().to_arrow())
    return table.scan().count()


def main():
    steps = {"append": append, "upsert": upsert, "plan": plan, "open": open_table, "compact": compact}
    catalog = load_catalog("bench", type="rest", uri=sys.argv[2])
    runs = Runs()
    count = steps[sys.argv[1]](catalog, json.load(sys.stdin), runs)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"version": pyiceberg.__version__, "runs": runs.runs, "peakMiB": peak, "count": count}))


main()
