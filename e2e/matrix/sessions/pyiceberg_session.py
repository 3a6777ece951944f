"""PyIceberg on a REST catalog: pyiceberg_session.py CATALOG_URI, then commands as writers/pyiceberg.mjs sends them."""

import json
import sys
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import EqualTo, In, LessThan
from pyiceberg.expressions.literals import literal
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import parse_transform
from pyiceberg.types import DoubleType, LongType, StringType
from statement_loop import serve

CATALOG = load_catalog("matrix", type="rest", uri=sys.argv[1])
TYPES = {"long": LongType(), "double": DoubleType(), "string": StringType()}


def value_of(kind, value):
    """A Python value of what the features write."""
    if value is None:
        return None
    if isinstance(kind, dict):
        (shape, inner) = next(iter(kind.items()))
        if shape == "list":
            return [value_of(inner, item) for item in value]
        if shape == "map":
            return [(value_of(inner[0], key), value_of(inner[1], item)) for key, item in value]
        return {name: value_of(field, value[name]) for name, field in inner.items()}
    if kind in ("int", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind.startswith("decimal"):
        return Decimal(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "timestamptz":
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    if kind == "timestamp":
        return datetime.fromisoformat(value)
    return bytes.fromhex(value) if kind == "binary" else value


def create(ask):
    fields = [
        PartitionField(field["source-id"], 1000 + at, parse_transform(field["transform"]), field["name"])
        for at, field in enumerate(ask["spec"]["fields"])
    ]
    schema = Schema.model_validate(ask["schema"])
    CATALOG.create_table(ask["table"], schema, partition_spec=PartitionSpec(*fields))


def append(ask):
    table = CATALOG.load_table(ask["table"])
    schema = table.schema().as_arrow()
    columns = [
        pa.array([value_of(column["type"], row[at]) for row in ask["rows"]], schema.field(at).type)
        for at, column in enumerate(ask["columns"])
    ]
    table.append(pa.Table.from_arrays(columns, schema=schema))


def delete(ask):
    CATALOG.load_table(ask["table"]).delete(In("id", ask["ids"]))


def evolve(ask):
    with CATALOG.load_table(ask["table"]).update_schema() as update:
        for change in ask["changes"]:
            if "widen" in change:
                update.update_column(change["widen"], field_type=TYPES[change["to"]])
            elif "rename" in change:
                update.rename_column(change["rename"], change["to"])
            elif "drop" in change:
                update.delete_column(change["drop"])
            else:
                update.add_column(change["add"], TYPES[change["type"]])


def repartition(ask):
    with CATALOG.load_table(ask["table"]).update_spec() as update:
        for name in ask["drop"]:
            update.remove_field(name)
        for field in ask["add"]:
            update.add_field(field["source"], parse_transform(field["transform"]), field["name"])


def read(ask):
    names = [column["name"] for column in ask["columns"]]
    arguments = {"selected_fields": tuple(names)}
    if ask.get("snapshotId"):
        arguments["snapshot_id"] = int(ask["snapshotId"])
    if ask.get("where"):
        name, comparison, text = ask["where"]
        kind = next(column["type"] for column in ask["columns"] if column["name"] == name)
        value = value_of(kind, text)
        if isinstance(value, datetime):
            value = value.isoformat(timespec="microseconds")
        arguments["row_filter"] = {"=": EqualTo, "<": LessThan}[comparison](name, literal(value))
    found = CATALOG.load_table(ask["table"]).scan(**arguments).to_arrow()
    return [[row[name] for name in names] for row in found.to_pylist()]


COMMANDS = {work.__name__: work for work in (create, append, delete, evolve, repartition, read)}


def run(command):
    ask = json.loads(command)
    return COMMANDS[ask["kind"]](ask) or []


serve(run)
