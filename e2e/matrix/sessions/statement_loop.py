"""Statements in base64 a line in, JSON answers a line out: see tools/engines/java/StatementLoop.java."""

import base64
import json
import math
import sys
from datetime import date, datetime, timezone
from decimal import Decimal


def plain(value):
    """A value as tools/engines/java/JsonText.java writes it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, (int, Decimal)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        utc = value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return utc.isoformat(timespec="microseconds") + ("Z" if value.tzinfo else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    raise TypeError(f"no JSON for {type(value)}")


def serve(run):
    answers, sys.stdout = sys.stdout, sys.stderr

    def answer(found):
        print(json.dumps(found), file=answers, flush=True)

    answer({"rows": []})
    for line in sys.stdin:
        try:
            rows = run(base64.b64decode(line).decode())
            answer({"rows": [[plain(value) for value in row] for row in rows]})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})
