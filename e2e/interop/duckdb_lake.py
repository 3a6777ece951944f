"""DuckDB's iceberg extension, attached to an Iceberg REST catalog. The extensions come from PyPI and load by path."""

import os

import duckdb


def attach(uri):
    """A connection that sees the catalog's tables as lake.NAMESPACE.TABLE."""
    site = os.path.dirname(os.path.dirname(duckdb.__file__))
    session = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    for name in ("avro", "httpfs", "iceberg"):
        file = f"{site}/duckdb_extension_{name}/extensions/v{duckdb.__version__}/{name}.duckdb_extension"
        session.execute(f"LOAD '{file}'")
    session.execute("SET TimeZone = 'UTC'")
    session.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none')")
    return session
