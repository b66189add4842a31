"""Questions about runs, as the SDK and the user interface put them, in SQL."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hallmark.twin.platform.calls import Refusal, uuid
from hallmark.twin.platform.filters import STATUS, Conditions
from hallmark.twin.platform.rows import moment

MOST = 100
"""Runs of one answer."""
COLUMNS = (
    "id", "trace_id", "session_id", "parent_run_id", "reference_example_id", "name", "run_type", "dotted_order",
    f"{STATUS} AS status", "error", "tags", "extra", "events", "serialized", "start_time", "end_time",
)  # fmt: skip
HEAVY = ("inputs", "inputs_s3", "outputs", "outputs_s3")
STATISTICS = """
SELECT {by}, count() AS run_count, quantile(0.5)(latency) AS latency_p50, quantile(0.99)(latency) AS latency_p99,
  avg(failed) AS error_rate, min(start_time) AS first_start_time, max(start_time) AS last_run_start_time
FROM (SELECT tenant_id, session_id, start_time, dateDiff('microsecond', start_time, end_time) / 1000000 AS latency,
  error IS NOT NULL AS failed FROM runs FINAL WHERE {conditions}) GROUP BY {by}
"""


def conditions(tenant: str, asked: Mapping[str, Any]) -> Conditions:
    """What is asked for.

    Raises:
        Refusal: It cannot be read.
    """
    found = Conditions()
    found.add("tenant_id = {tenant:UUID}", tenant=tenant)
    found.add("name IS NOT NULL AND start_time IS NOT NULL")  # the end of a run may arrive before its beginning
    for name, column in {"session": "session_id", "id": "id", "reference_example": "reference_example_id"}.items():
        if asked.get(name):
            found.add(f"{column} IN {found.value(_identities(asked[name]), 'Array(UUID)')}")
    for name, column in {"trace": "trace_id", "parent_run": "parent_run_id"}.items():
        if asked.get(name):
            found.add(f"{column} = {found.value(uuid(asked[name]), 'UUID')}")
    _add_simple(found, asked)
    if asked.get("filter"):
        found.filter(asked["filter"])
    if asked.get("trace_filter"):  # runs of traces whose root is so
        root = conditions(tenant, {"is_root": True, "filter": asked["trace_filter"]})
        found.add(_within(found, root))
    return found


def _add_simple(found: Conditions, asked: Mapping[str, Any]) -> None:
    if asked.get("is_root") is not None:
        found.add(f"parent_run_id IS {'' if asked['is_root'] else 'NOT '}NULL")
    if asked.get("run_type"):
        found.add(f"run_type = {found.value(str(asked['run_type']))}")
    if asked.get("error") is not None:
        found.add(f"error IS {'NOT ' if asked['error'] else ''}NULL")
    for name, sign in {"start_time": ">=", "end_time": "<="}.items():
        if asked.get(name):
            found.add(f"start_time {sign} {found.value(moment(asked[name]), 'DateTime64(6)')}")
    if asked.get("query"):
        found.filter(f'search("{_quoted(str(asked["query"]))}")')


def page(asked: Mapping[str, Any]) -> tuple[int, int]:
    """Limit and offset."""
    cursor, limit = str(asked.get("cursor") or "0"), asked.get("limit")
    if not cursor.isdigit():
        raise Refusal(400, "Invalid cursor")
    return max(1, min(int(limit or MOST), MOST)), int(cursor)


def selection(wanted: Conditions, limit: int, offset: int, order: str = "desc") -> str:
    """The query for one page. Heavy columns are read for the rows of the page only."""
    direction = "ASC" if order == "asc" else "DESC"
    ordered = f"ORDER BY start_time {direction}, id LIMIT {limit:d}"
    page = f"SELECT id FROM runs FINAL WHERE {wanted.sql()} {ordered} OFFSET {offset:d}"  # noqa: S608  (parameters)
    columns = ", ".join((*COLUMNS, *HEAVY))
    inside = f"tenant_id = {{tenant:UUID}} AND id IN ({page})"
    return f"SELECT {columns} FROM runs FINAL WHERE {inside} {ordered}"  # noqa: S608  (parameters)


def _within(found: Conditions, inner: Conditions) -> str:
    # The inner conditions' parameters get other names.
    text = re.sub(r"\{v(\d+):", r"{w\1:", inner.sql())
    found.parameters |= {re.sub(r"^v", "w", name): value for name, value in inner.parameters.items()}
    return f"trace_id IN (SELECT trace_id FROM runs FINAL WHERE {text})"  # noqa: S608  (parameters)


def _identities(values: object) -> str:
    found: Sequence[object] = values if isinstance(values, list) else [values]
    return "[" + ",".join(f"'{uuid(each)}'" for each in found) + "]"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
