"""Quantities are read and written as Kubernetes does.

Source: Kubernetes API reference, "Quantity".
"""

from decimal import Decimal

import pytest

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.cluster.schema.errors import BadQuantity


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1500m", "1500m"),
        ("1.5", "1500m"),
        ("64", "64"),
        ("1000", "1k"),
        ("100000", "100k"),
        ("1024", "1024"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("512Ki", "512Ki"),
        ("1Ki", "1Ki"),
        ("128974848", "128974848"),
        ("129M", "129M"),
        ("129e6", "129e6"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("0Gi", "0"),
        ("-1", "-1"),
        ("+2", "2"),
        ("100n", "100n"),
        ("0.0000000001", "1n"),
        ("5E", "5E"),
        ("2Ei", "2Ei"),
    ],
)
def test_canonical_form(text: str, written: str) -> None:
    """No fraction, the largest suffix that loses nothing, the family it came with."""
    assert quantities.canonical(text) == written


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("250m", Decimal("0.25")), ("1Ki", 1024), ("1k", 1000), ("2e3", 2000), ("1.5Gi", 1610612736)],
)
def test_number(text: str, number: Decimal) -> None:
    """Suffixes are powers of 1000 and of 1024."""
    assert quantities.parse(text) == number


@pytest.mark.parametrize("text", ["", "1x", "1 Gi", "Gi", "1KiB", "one", "1.2.3", "--1", "1e"])
def test_no_quantity(text: str) -> None:
    """Everything else is refused, in the server's words."""
    with pytest.raises(BadQuantity, match=r"quantities must match the regular expression"):
        quantities.parse(text)
