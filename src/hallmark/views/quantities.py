"""Kubernetes quantities: ``500m`` CPU, ``32Gi`` or ``32G`` memory (API conventions, "Quantity")."""

import re
from decimal import Decimal

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12), "P": Decimal(10**15),
    "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40), "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}  # fmt: skip
_QUANTITY = re.compile(r"^(?P<number>[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)(?P<suffix>[numkMGTPE]|[KMGTPE]i)?$")


def number(quantity: str | float) -> Decimal:
    """Return a quantity as a plain number: cores, bytes or pieces.

    >>> number("500m"), number("1Gi"), number(8)
    (Decimal('0.500'), Decimal('1073741824'), Decimal('8'))

    Raises:
        ValueError: It is none.
    """
    found = _QUANTITY.match(str(quantity))
    if not found:
        raise ValueError(f"{quantity!r} is not a quantity")
    return Decimal(found["number"]) * _SUFFIXES[found["suffix"] or ""]


def gibibytes(size: Decimal) -> str:
    """Return bytes as text a person reads, for example ``32 GiB``."""
    return f"{float(size) / 2**30:.3g} GiB"
