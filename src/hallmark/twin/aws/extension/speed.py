"""What moto looks up again on every request, done once; and its answers in XML, written without detours.

Measured, this costs as much as the calls themselves: 175 ``stat`` calls and a walk over the response class for each
request, and for each member of an answer the names that it may have in moto's own objects.

It rests on this behaviour of moto: folders of services, methods of a response class and the service of a host name
stay as they are; the names of a member follow from the class of the object and from the shape alone
(``AttributeAliasProvider``), and a shape is one object for as long as the process lives (``get_service_model``).
"""

from functools import cache
from typing import Any

import xmltodict
from moto import backends
from moto.core import responses
from moto.core.constants import MISSING
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import get_value, method_names_from_class
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from hallmark.twin.aws.extension.markup import document
from hallmark.twin.aws.extension.patching import Function, around, extend

_names: dict[tuple[type, str, Any], list[str]] = {}


def install() -> None:
    """Remember what cannot change while the process runs."""
    modules = tuple(backends.list_of_moto_modules())
    around(backends, "list_of_moto_modules")(lambda _original: modules)
    methods = cache(method_names_from_class)
    around(responses, "method_names_from_class")(lambda _original, owner: methods(owner))
    found: dict[str | None, Any] = {}

    def by_host(original: Function, application: DomainDispatcherApplication, host: str | None) -> Any:
        if host not in found:
            found[host] = original(application, host)
        return found[host]

    around(DomainDispatcherApplication, "get_backend_for_host")(by_host)
    around(xmltodict, "unparse")(document)
    extend(XFormedAttributePicker, __call__)
    extend(TaggedEC2Resource, get_tags)


def __call__(self: XFormedAttributePicker, context: AttributePickerContext) -> Any:  # noqa: N807  (moto calls it so)
    """The value of a member: under the first of its names that the object knows, transformed where moto says so."""
    obj, place = context.obj, (type(context.obj), context.key, context.shape)
    if place not in _names:
        _names[place] = list(dict.fromkeys(self.get_possible_keys(context)))
    for name in _names[place]:
        value = obj.get(name, MISSING) if place[0] is dict else get_value(obj, name, MISSING)
        if value is not MISSING:
            break
    else:
        value = None
    path = f"{context.key_path}.{context.key}"
    if path.endswith(tuple(self.response_transformers)):  # seldom: a response class has a dozen
        return next(turn(value) for end, turn in self.response_transformers.items() if path.endswith(end))
    return value


def get_tags(self: Any) -> list[dict[str, str]]:
    """The tags of a resource, taken from its own; moto holds the tags of all against its id."""
    own = self.ec2_backend.tags.get(self.id, {}) if self.id else {}
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "") if own else ""
    return [{"resource_id": self.id, "key": k, "value": v, "resource_type": kind} for k, v in own.items()]
