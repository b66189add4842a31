"""Two look-ups that moto repeats on every request, done once: its service folders and its handlers' methods.

Measured, they cost as much as the call itself: 175 ``stat`` calls and a walk over the response class.
"""

from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from hallmark.twin.aws.extension.patching import Function, around


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
