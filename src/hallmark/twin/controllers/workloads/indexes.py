"""Completion indexes of a Job as its status writes them: ``0-2,4``."""

LONG = 3
"""Indexes in a row that are written with a dash instead of commas."""


def read(text: str) -> set[int]:
    """Read a list of indexes and ranges."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def write(indexes: set[int]) -> str:
    """Write indexes in order, those in a row together."""
    rows: list[list[int]] = []
    for index in sorted(indexes):
        if rows and index == rows[-1][-1] + 1:
            rows[-1].append(index)
        else:
            rows.append([index])
    return ",".join(f"{row[0]}-{row[-1]}" if len(row) >= LONG else ",".join(map(str, row)) for row in rows)
