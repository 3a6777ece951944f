"""PyIceberg's SqlCatalog on the database of Firn's catalog: reads what is there, changes it and adds to it.

Input on stdin, JSON: uri, name, warehouse. Output: what it found, JSON.
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

given = json.load(sys.stdin)
catalog = SqlCatalog(given["name"], uri=given["uri"], warehouse=given["warehouse"])


def name(identifier):
    return ".".join(identifier)


found = {"namespaces": sorted(name(one) for one in catalog.list_namespaces()), "tables": {}, "views": []}
for namespace in catalog.list_namespaces():
    found["views"] += sorted(name(one) for one in catalog.list_views(namespace)) if given["views"] else []
    for identifier in catalog.list_tables(namespace):
        table = catalog.load_table(identifier)
        found["tables"][name(identifier)] = {
            "metadata_location": table.metadata_location,
            "columns": table.schema().column_names,
        }

shared = catalog.load_table("ns.shared")
with shared.transaction() as transaction:
    transaction.set_properties(pyiceberg="was here")
shared.append(pa.table({"id": pa.array([1, 2, 3], pa.int64())}, pa.schema([pa.field("id", pa.int64(), nullable=False)])))

catalog.create_namespace("made_by_pyiceberg", {"owner": "pyiceberg"})
made = catalog.create_table("made_by_pyiceberg.t", pa.schema([("n", pa.int64())]))
made.append(pa.table({"n": [1, 2]}))
json.dump(found, sys.stdout)
