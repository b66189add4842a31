"""Templates of an ExternalSecret: `{{ .field }}` and a few functions in a pipe. Pure.

The operator runs Go templates with Sprig. What is used for connection URLs is kept; everything else is refused, never
passed through half-rendered.
"""

import base64
import re
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

_ACTION = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_FIELD = re.compile(r"\.([A-Za-z_]\w*)|index \. \"([^\"]+)\"")
FUNCTIONS: Mapping[str, Callable[[str], str]] = {
    "toString": str,
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "quote": lambda text: f'"{text}"',
    "urlquery": quote_plus,
    "b64enc": lambda text: base64.b64encode(text.encode()).decode(),
    "b64dec": lambda text: base64.b64decode(text).decode(),
}


class Unrenderable(Exception):
    """A template names a field that is not there, or uses what is not known here. Never carries a value."""


def render(template: str, fields: Mapping[str, str]) -> str:
    """Replace every action of a template.

    Args:
        template: Text with ``{{ .field | function }}``.
        fields: Values by name.

    Raises:
        Unrenderable: See there.
    """
    return _ACTION.sub(lambda found: _evaluate(found[1], fields), template)


def _evaluate(action: str, fields: Mapping[str, str]) -> str:
    first, *pipe = (part.strip() for part in action.split("|"))
    field = _FIELD.fullmatch(first)
    if not field:
        raise Unrenderable(
            f"unable to parse template: {first.split()[0] if first else 'empty action'} is not supported"
        )
    name = field[1] or field[2]
    if name not in fields:
        raise Unrenderable(f'unable to execute template: map has no entry for key "{name}"')
    value = fields[name]
    for function in pipe:
        if function not in FUNCTIONS:
            raise Unrenderable(f'unable to parse template: function "{function}" not defined')
        value = FUNCTIONS[function](value)
    return value
