"""DuckDB with its iceberg extension on a REST catalog: duckdb_session.py CATALOG_URI, then statements."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "interop"))
from duckdb_lake import attach  # noqa: E402
from statement_loop import serve  # noqa: E402


def main():
    session = attach(sys.argv[1])

    def run(statement):
        found = session.execute(statement)
        return found.fetchall() if found.description else []

    serve(run)


main()
