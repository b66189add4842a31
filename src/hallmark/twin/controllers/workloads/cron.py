"""Cron schedules: five fields, and when they next hold; pure functions.

Source: "Schedule syntax" in the Kubernetes documentation of CronJobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_YEARS = 5
"""How far ahead is looked; a schedule such as 30 February never holds."""


@dataclass(frozen=True)
class Schedule:
    """When something is due.

    Attributes:
        minutes: 0 to 59.
        hours: 0 to 23.
        days: Of the month, 1 to 31.
        months: 1 to 12.
        weekdays: 0 is Sunday.
        either: Whether a day of the month or of the week is enough: so it is when both are restricted.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a schedule.

        Raises:
            ValueError: It is none.
        """
        fields = MACROS.get(text.strip(), text).split()
        if len(fields) != 5:  # noqa: PLR2004  (cron's own number)
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: {fields}")
        minutes, hours, days, months, weekdays = fields
        return cls(
            _field(minutes, 0, 59),
            _field(hours, 0, 23),
            _field(days, 1, 31),
            _field(months, 1, 12, _MONTHS),
            frozenset(each % 7 for each in _field(weekdays, 0, 7, _DAYS)),
            either="*" not in {days[0], weekdays[0]} and "?" not in {days[0], weekdays[0]},
        )

    def following(self, moment: datetime) -> datetime | None:
        """The first time after *moment*, in the same time zone, or None if there is none for years."""
        for day in self._days_from(moment, timedelta(days=1)):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    if (found := day.replace(hour=hour, minute=minute)) > moment:
                        return found
        return None

    def latest(self, moment: datetime) -> datetime | None:
        """The last time that is not after *moment*, or None if there was none for years."""
        for day in self._days_from(moment, timedelta(days=-1)):
            for hour in sorted(self.hours, reverse=True):
                for minute in sorted(self.minutes, reverse=True):
                    if (found := day.replace(hour=hour, minute=minute)) <= moment:
                        return found
        return None

    def _days_from(self, moment: datetime, step: timedelta) -> Iterator[datetime]:
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for _ in range(366 * _YEARS):
            if self._holds_on(day):
                yield day
            day += step

    def _holds_on(self, day: datetime) -> bool:
        of_month, of_week = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        fits = (of_month or of_week) if self.either else (of_month and of_week)
        return day.month in self.months and fits


def _field(text: str, low: int, high: int, names: list[str] | None = None) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, _, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            start, _, end = span.partition("-")
            first = _number(start, low, names)
            last = _number(end, low, names) if end else high if step else first
        if not low <= first <= last <= high:
            raise ValueError(f"{part} is not within {low} to {high}")
        found |= set(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, low: int, names: list[str] | None) -> int:
    return names.index(text) + low if names and text in names else int(text)
