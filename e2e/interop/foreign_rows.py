"""Changes raw as another engine does: appends rows without a local date, doubles among them, and deletes one.

Standard input: {"catalog": URL, "namespace": name, "user": a user with samples, "added": id of the new sample}.
Prints {"corrected": id of a sample that got another value, "value": it, "deleted": id of the sample that went}.
"""

import datetime
import json
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import And, EqualTo

task = json.load(sys.stdin)
user = task["user"]
catalog = load_catalog("lake", type="rest", uri=task["catalog"])
raw = catalog.load_table((task["namespace"], "health_data_raw"))
rows = sorted(raw.scan(row_filter=EqualTo("user_id", user)).to_arrow().to_pylist(), key=lambda row: row["sample_id"])
corrected, deleted = rows[0], rows[-1]

start = datetime.datetime(2026, 3, 5, 22, tzinfo=datetime.timezone.utc)
new = {**corrected, "sample_id": task["added"], "data_type": "heartRate", "unit": "count/min", "metadata": None}
new = {**new, "start_date": start, "end_date": start, "timezone": "Asia/Seoul", "timezone_offset": None}
added = [
    {**corrected, "value": corrected["value"] + 1, "local_date": None},
    {**new, "value": 70.0, "local_date": None},
    {**new, "value": 71.0, "local_date": None},
]
raw.append(pa.Table.from_pylist(added, schema=raw.schema().as_arrow()))
raw = catalog.load_table((task["namespace"], "health_data_raw"))
raw.delete(And(EqualTo("user_id", user), EqualTo("sample_id", deleted["sample_id"])))
json.dump(
    {"corrected": corrected["sample_id"], "value": added[0]["value"], "deleted": deleted["sample_id"]}, sys.stdout
)
