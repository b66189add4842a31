"""Kubernetes quantities in every way of writing them."""

from decimal import Decimal

import pytest

from hallmark.views.quantities import gibibytes, number


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("500m", "0.5"),
        ("8", "8"),
        (16, "16"),
        (0.5, "0.5"),
        ("1.5", "1.5"),
        ("32Gi", str(32 * 2**30)),
        ("32G", str(32 * 10**9)),
        ("1e3", "1000"),
        ("128974848", "128974848"),
        ("129e6", "129000000"),
        ("123Mi", str(123 * 2**20)),
        ("100k", "100000"),
        ("1Ki", "1024"),
        ("250000n", "0.00025"),
        ("7u", "0.000007"),
        ("1E", str(10**18)),
    ],
)
def test_a_quantity_is_a_number(written: str | float, meant: str) -> None:
    """Decimal and binary suffixes, exponents and plain numbers (API conventions)."""
    assert number(written) == Decimal(meant)


@pytest.mark.parametrize("written", ["", "many", "1 Gi", "1gi", "0x10", "1GiB", "--1", None])
def test_what_is_no_quantity_is_refused(written: str) -> None:
    """Nothing is guessed: a mangled size must not become a small or a large one."""
    with pytest.raises(ValueError, match="not a quantity"):
        number(written)


def test_bytes_are_shown_as_a_person_reads_them() -> None:
    """GiB with as many digits as help."""
    assert [gibibytes(number(text)) for text in ("32Gi", "32G", "512Mi")] == ["32 GiB", "29.8 GiB", "0.5 GiB"]
