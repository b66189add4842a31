"""Whether an AWS answer has the shape botocore's own model says it has.

A stored answer may have been edited, cut off or mangled. A check must never conclude anything from it,
so what does not fit the published model is *malformed* long before a view reads it.
"""

import functools
import threading
from collections.abc import Iterator
from typing import Any

import botocore
import botocore.model
import botocore.session
from botocore.exceptions import DataNotFoundError, UnknownServiceError

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "timestamp": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "bigdecimal": (int, float, str),
}


_models: dict[str, botocore.model.ServiceModel | None] = {}
_loading = threading.Lock()
"""Many answers of one service arrive together, and its model takes longer to load than to ask."""


def know(service: str, model: botocore.model.ServiceModel) -> None:
    """Use a model that is loaded already: a client's own."""
    _models.setdefault(service, model)


def defects(service: str, operation: str, value: Any) -> list[str]:
    """Describe where *value* departs from the service model.

    Args:
        service: boto3 service name.
        operation: boto3 method name.
        value: The answer as stored: JSON, timestamps as ISO 8601 text.

    Returns:
        One line a defect, empty when the answer has the documented shape.
    """
    shape = _output_shape(service, operation)
    if shape is None:
        return [f"{service}.{operation} is not an operation botocore knows"]
    return list(_walk(shape, value, "answer"))


def _walk(shape: Any, value: Any, path: str) -> Iterator[str]:
    if getattr(shape, "document_type", False) or _is_parsed_document(shape, value):
        return
    match shape.type_name:
        case "structure":
            yield from _walk_structure(shape, value, path)
        case "list":
            if not isinstance(value, list):
                yield f"{path} is {type(value).__name__}, not a list"
                return
            for index, item in enumerate(value):
                yield from _walk(shape.member, item, f"{path}[{index}]")
        case "map":
            if not isinstance(value, dict):
                yield f"{path} is {type(value).__name__}, not a map"
                return
            for key, item in value.items():
                yield from _walk(shape.value, item, f"{path}.{key}")
        case kind:
            wrong_bool = isinstance(value, bool) and kind != "boolean"
            if wrong_bool or not isinstance(value, _TYPES[kind]):
                yield f"{path} is {type(value).__name__}, not {kind}"


def _walk_structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is {type(value).__name__}, not a structure"
        return
    for name, item in value.items():
        if member := shape.members.get(name):
            yield from _walk(member, item, f"{path}.{name}")


def _is_parsed_document(shape: Any, value: Any) -> bool:
    """IAM documents are strings on the wire; botocore's IAM client hands them over parsed."""
    return shape.type_name == "string" and "policyDocument" in shape.name and isinstance(value, dict)


def _model(service: str) -> botocore.model.ServiceModel | None:
    with _loading:
        if service not in _models:
            _models[service] = _loaded(service)
        return _models[service]


def _loaded(service: str) -> botocore.model.ServiceModel | None:
    try:
        return _session().get_service_model(service)
    except (UnknownServiceError, DataNotFoundError):
        return None


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@functools.cache
def _output_shape(service: str, operation: str) -> Any:
    model = _model(service)
    if model is None:
        return None
    for name in model.operation_names:
        if botocore.xform_name(name) == operation:
            shape = model.operation_model(name).output_shape
            return shape or botocore.model.StructureShape("Empty", {"type": "structure", "members": {}})
    return None
