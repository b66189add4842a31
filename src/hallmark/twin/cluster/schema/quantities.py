"""Quantities, such as ``500m`` of CPU or ``1Gi`` of memory.

Source: k8s.io/apimachinery/pkg/api/resource. A quantity is written canonically: no fraction, the largest suffix that
loses nothing, and the family of suffixes (binary, decimal, exponent) it came with.
"""

import re
from decimal import ROUND_CEILING, Context, Decimal
from functools import lru_cache
from typing import Any

from hallmark.twin.cluster.schema.errors import BadQuantity

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d+))")
_BINARY = {f"{letter}i": 1024 ** (i + 1) for i, letter in enumerate("KMGTPE")}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_NANO = Decimal("1e-9")
_EXACT = Context(prec=60)


@lru_cache(4096)
def parse(text: str) -> Decimal:
    """The number a quantity stands for; what is finer than a billionth is rounded up, as in the real server.

    Raises:
        BadQuantity: The text is no quantity.
    """
    return _parse(text)[0]


@lru_cache(4096)
def canonical(text: str) -> str:
    """A quantity as the server writes it: ``1000m`` is ``1``, ``1024Mi`` is ``1Gi``, ``0.5`` is ``500m``.

    Raises:
        BadQuantity: The text is no quantity.
    """
    number, family = _parse(text)
    if not number:
        return "0"
    if family == "binary" and abs(number) >= 1024:  # noqa: PLR2004 - the base itself; what is below has no suffix
        return _in_binary(number)
    exponent = _largest(number)
    digits = str(int(_EXACT.scaleb(number, -exponent)))
    if family == "exponent":
        return f"{digits}e{exponent}" if exponent else digits
    return digits + _SUFFIX[exponent]


def of(value: Any) -> Decimal:
    """The number of a value that may be a quantity's text or a plain number; 0 for what is neither."""
    try:
        return parse(str(value))
    except BadQuantity:
        return Decimal(0)


def _parse(text: str) -> tuple[Decimal, str]:
    found = _FORM.fullmatch(text)
    if not found:
        raise BadQuantity
    digits, binary, decimal, exponent = found.groups()
    number = Decimal(digits)
    if binary:
        family, number = "binary", _EXACT.multiply(number, Decimal(_BINARY[binary]))
    elif exponent is not None:
        family, number = "exponent", _EXACT.scaleb(number, int(exponent))
    else:
        family, number = "decimal", _EXACT.scaleb(number, _DECIMAL[decimal])
    return number.quantize(_NANO, ROUND_CEILING, _EXACT), family


def _in_binary(number: Decimal) -> str:
    whole, suffix = int(number.to_integral_value(ROUND_CEILING)), ""
    for name, size in _BINARY.items():
        if whole % size:
            break
        suffix = name
    return f"{whole // _BINARY.get(suffix, 1)}{suffix}"


def _largest(number: Decimal) -> int:
    """The largest exponent, a multiple of three, that leaves a whole number."""
    exponent = -9
    while exponent < _DECIMAL["E"] and not _EXACT.scaleb(number, -exponent - 3) % 1:
        exponent += 3
    return exponent
