"""PyIceberg and DuckDB against an Iceberg REST catalog: what a user of these engines does first.

    CATALOG_URI=http://127.0.0.1:8181 python catalog_smoke.py

Needs pyiceberg[pyarrow,pyiceberg-core]; the DuckDB part runs when duckdb and the wheels
duckdb-extension-{avro,httpfs,iceberg} are installed, and is reported as skipped otherwise.
Uses namespaces of its own and removes them. Exits with 1 when a step fails, naming it.
"""

import importlib.util
import os
import sys
import time
import traceback

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.sorting import SortField, SortOrder
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
from pyiceberg.types import DoubleType, LongType, MapType, NestedField, StringType, TimestamptzType

URI = os.environ["CATALOG_URI"]
RUN = f"smoke{int(time.time() * 1000)}"
ROWS = 1000


def expect(condition, message):
    if not condition:
        raise AssertionError(message)


def expect_error(kind, text, work):
    try:
        work()
    except kind as error:
        expect(text in str(error), f"{kind.__name__} says {error!s}, not {text}")
        return
    raise AssertionError(f"no {kind.__name__}")


def schema():
    return Schema(
        NestedField(11, "id", LongType(), required=True),
        NestedField(12, "at", TimestamptzType(), required=True),
        NestedField(13, "kind", StringType(), required=False),
        NestedField(14, "tags", MapType(20, StringType(), 21, StringType(), value_required=False), required=False),
        identifier_field_ids=[11],
    )


def rows(first, count):
    ids = range(first, first + count)
    fields = [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("kind", pa.string()),
        pa.field("tags", pa.map_(pa.string(), pa.string())),
    ]
    columns = [
        pa.array(ids, pa.int64()),
        pa.array([1_700_000_000_000_000 + i * 3_600_000_000 for i in ids], pa.timestamp("us", tz="UTC")),
        pa.array([f"k{i % 3}" for i in ids], pa.string()),
        pa.array([[("n", str(i))] for i in ids], pa.map_(pa.string(), pa.string())),
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def namespaces(catalog):
    catalog.create_namespace(RUN, {"owner": "smoke"})
    catalog.create_namespace((RUN, "inner"))
    expect((RUN,) in catalog.list_namespaces(), "namespace is not listed")
    expect(catalog.list_namespaces(RUN) == [(RUN, "inner")], "nested namespace is not listed")
    expect(catalog.load_namespace_properties(RUN).get("owner") == "smoke", "property is lost")
    catalog.update_namespace_properties(RUN, removals={"owner"}, updates={"team": "x"})
    properties = dict(catalog.load_namespace_properties(RUN))
    expect(properties.pop("location").endswith(f"/{RUN}"), "where tables go is not told")
    expect(properties == {"team": "x"}, "properties are not changed")
    expect_error(NamespaceAlreadyExistsError, RUN, lambda: catalog.create_namespace(RUN))
    expect_error(NoSuchNamespaceError, "Namespace does not exist: none", lambda: catalog.list_tables("none"))
    expect_error(NamespaceNotEmptyError, "is not empty", lambda: catalog.drop_namespace(RUN))
    catalog.drop_namespace((RUN, "inner"))


def tables(catalog):
    name = f"{RUN}.events"
    spec = PartitionSpec(
        PartitionField(12, 1000, DayTransform(), "at_day"), PartitionField(11, 1001, BucketTransform(4), "id_bucket")
    )
    order = SortOrder(SortField(11, IdentityTransform()))
    table = catalog.create_table(name, schema(), partition_spec=spec, sort_order=order, properties={"a": "b"})
    expect([field.field_id for field in table.schema().fields] == [1, 2, 3, 4], "field ids are not fresh")
    expect(table.schema().identifier_field_ids == [1], "identifier fields are lost")
    expect_error(TableAlreadyExistsError, f"Table already exists: {name}", lambda: catalog.create_table(name, schema()))
    expect_error(NoSuchTableError, f"Table does not exist: {RUN}.none", lambda: catalog.load_table(f"{RUN}.none"))
    table.append(rows(0, ROWS))
    expect(catalog.load_table(name).scan().to_arrow().num_rows == ROWS, "rows are lost")
    with table.update_schema() as update:
        update.add_column("value", DoubleType())
        update.rename_column("kind", "sort")
    with table.update_spec() as update:
        update.add_field("sort", IdentityTransform(), "sort")
    table = catalog.load_table(name)
    more = rows(ROWS, 10).rename_columns(["id", "at", "sort", "tags"])
    table.append(more.append_column("value", pa.array([1.5] * 10)))
    table.delete("id < 100")
    found = catalog.load_table(name).scan(row_filter="id >= 95").to_arrow()
    expect(found.num_rows == ROWS + 10 - 100, f"{found.num_rows} rows after the delete")
    expect(sum(v for v in found["value"].to_pylist() if v) == 15.0, "added column is wrong")


def history(catalog):
    table = catalog.load_table(f"{RUN}.events")
    first = table.history()[0].snapshot_id
    expect(table.scan(snapshot_id=first).to_arrow().num_rows == ROWS, "time travel is wrong")
    table.manage_snapshots().create_tag(first, "first").create_branch(first, "fork").commit()
    table = catalog.load_table(f"{RUN}.events")
    expect(table.snapshot_by_name("first").snapshot_id == first, "tag is lost")
    with table.transaction() as change:
        change.set_properties({"c": "d", "write.metadata.compression-codec": "gzip"})
        change.remove_properties("a")
    table.append(table.scan(row_filter="id = 500").to_arrow())
    table = catalog.load_table(f"{RUN}.events")
    expect(table.metadata_location.endswith(".gz.metadata.json"), "metadata is not compressed")
    expect(table.properties.get("c") == "d" and "a" not in table.properties, "properties are not changed")


def races(catalog):
    one, other = catalog.load_table(f"{RUN}.events"), catalog.load_table(f"{RUN}.events")
    with one.update_schema() as update:
        update.add_column("left", LongType())

    def late():
        with other.update_schema() as update:
            update.add_column("right", LongType())

    expect_error(CommitFailedException, "Requirement failed: current schema changed", late)
    with catalog.create_table_transaction(f"{RUN}.staged", schema()) as change:
        change.append(rows(0, 10))
    expect(catalog.load_table(f"{RUN}.staged").scan().to_arrow().num_rows == 10, "staged table lost its rows")


def ends(catalog):
    catalog.rename_table(f"{RUN}.staged", f"{RUN}.moved")
    expect(set(catalog.list_tables(RUN)) == {(RUN, "events"), (RUN, "moved")}, "tables are not listed")
    location = catalog.load_table(f"{RUN}.moved").metadata_location
    catalog.drop_table(f"{RUN}.moved")
    catalog.register_table(f"{RUN}.again", location)
    expect(catalog.load_table(f"{RUN}.again").scan().to_arrow().num_rows == 10, "registered table lost its rows")
    catalog.purge_table(f"{RUN}.again")
    catalog.drop_table(f"{RUN}.events")
    expect(not catalog.table_exists(f"{RUN}.events"), "table is still there")
    catalog.drop_namespace(RUN)
    expect(not catalog.namespace_exists(RUN), "namespace is still there")


def duckdb_writes_pyiceberg_reads(catalog):
    from duckdb_lake import attach

    schema_name = f"{RUN}d"
    session = attach(URI)
    session.execute(f"CREATE SCHEMA lake.{schema_name}")
    session.execute(f"CREATE TABLE lake.{schema_name}.t (id BIGINT, ts TIMESTAMPTZ, s VARCHAR, m MAP(VARCHAR, VARCHAR))")
    session.execute(
        f"INSERT INTO lake.{schema_name}.t SELECT i, '2026-01-01 00:00:00Z'::TIMESTAMPTZ + i * INTERVAL 1 HOUR, "
        f"'s' || i, MAP {{'k': i::VARCHAR}} FROM range(1000) r(i)"
    )
    session.execute(f"DELETE FROM lake.{schema_name}.t WHERE id % 10 = 0")
    session.execute(f"UPDATE lake.{schema_name}.t SET s = 'changed' WHERE id = 1")
    session.execute(f"CREATE TABLE lake.{schema_name}.c AS SELECT 1 AS x, 'one' AS y")
    session.execute("BEGIN")
    session.execute(f"INSERT INTO lake.{schema_name}.c VALUES (2, 'two')")
    session.execute(f"INSERT INTO lake.{schema_name}.t (id) VALUES (5000)")
    session.execute("COMMIT")
    expect(session.execute(f"SELECT count(*), sum(id) FROM lake.{schema_name}.t").fetchone() == (901, 455000), "DuckDB")
    arrow = catalog.load_table(f"{schema_name}.t").scan().to_arrow()
    expect((arrow.num_rows, sum(arrow["id"].to_pylist())) == (901, 455000), "PyIceberg reads other rows")
    catalog.load_table(f"{schema_name}.c").append(pa.table({"x": pa.array([3], pa.int32()), "y": ["three"]}))
    fresh = attach(URI)
    expect(fresh.execute(f"SELECT sum(x) FROM lake.{schema_name}.c").fetchone() == (6,), "DuckDB reads other rows")
    for name in ("t", "c"):
        fresh.execute(f"DROP TABLE lake.{schema_name}.{name}")
    fresh.execute(f"DROP SCHEMA lake.{schema_name}")


def main():
    catalog = load_catalog("smoke", type="rest", uri=URI)
    steps = [namespaces, tables, history, races, ends]
    if importlib.util.find_spec("duckdb") and importlib.util.find_spec("duckdb_extension_iceberg"):
        steps.append(duckdb_writes_pyiceberg_reads)
    else:
        print("skipped duckdb_writes_pyiceberg_reads: duckdb or its extension wheels are not installed")
    failed = 0
    for step in steps:
        started = time.time()
        try:
            step(catalog)
            print(f"ok      {step.__name__} {time.time() - started:.1f} s")
        except Exception:
            failed += 1
            print(f"FAILED  {step.__name__}")
            traceback.print_exc()
            # Later steps build on earlier ones: their failures would say nothing.
            break
    return 1 if failed else 0


sys.exit(main())
