"""CloudWatch Logs, as far as moto keeps all of it: a stream holds so many events, and then the oldest go.

A real stream keeps every event until its group's retention is over; here they are all in memory, and in each snapshot.
"""

from typing import Any

from moto.logs.models import LogStream

from hallmark.twin.aws.extension.patching import Function, around

KEPT = 5000
"""Events of a stream: some hours of a quiet container, about five megabytes."""


def install() -> None:
    """Change moto."""

    @around(LogStream, "put_log_events")
    def bounded(original: Function, stream: LogStream, *args: Any, **kwargs: Any) -> Any:
        answer = original(stream, *args, **kwargs)
        if len(stream.events) > KEPT:
            del stream.events[:-KEPT]
        return answer
