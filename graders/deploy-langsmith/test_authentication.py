"""Authentication: chosen on purpose, and one pattern, not two."""

from collections.abc import Mapping

import pytest

from hallmark.errors import Miss
from hallmark.views.workloads import Variable, Workload, Workloads

SERVING = ("backend", "platform-backend")
"""The workloads that decide about a request."""
TYPES = frozenset({"mixed", "oauth"})


def _serving(workloads: Workloads) -> list[tuple[Workload, Mapping[str, Variable]]]:
    return [(one, workloads.variables(one)) for one in (workloads.application[name] for name in SERVING)]


def _patterns(variables: Mapping[str, Variable]) -> list[str]:
    """Return which ways of signing in are on."""
    basic = variables.get("BASIC_AUTH_ENABLED")
    found = ["basic authentication"] if basic and basic.value.lower() == "true" else []
    return [*found, *(["OAuth"] if "OAUTH_CLIENT_ID" in variables else [])]


def _values(one: Workload, workloads: Workloads) -> str:
    return f"helm -n {one.namespace} get values {workloads.scope('release')}"


@pytest.mark.check(
    "AUTH-1",
    points=3,
    requires=["application_ready"],
    why="Without a pattern of your own choosing everybody who finds the address is a user.",
)
def test_auth_configured(workloads: Workloads) -> None:
    """Authentication is configured: a type is set, and a way of signing in is on."""
    for one, variables in _serving(workloads):
        kind = variables["AUTH_TYPE"].value if "AUTH_TYPE" in variables else ""
        if kind not in TYPES or not _patterns(variables):
            raise Miss(
                expected="config.authType mixed or oauth, with basicAuth or oauth enabled",
                observed=f"type {kind or 'none'}, {', '.join(_patterns(variables)) or 'no way of signing in'}",
                where=one.where,
                next=_values(one, workloads),
            )


@pytest.mark.check(
    "AUTH-4",
    points=2,
    requires=["auth_configured"],
    why="A second way in is one that nobody watches, and there is no way back from single sign-on.",
)
def test_auth_single(workloads: Workloads) -> None:
    """One authentication pattern is chosen, not two."""
    for one, variables in _serving(workloads):
        if len(_patterns(variables)) > 1:
            raise Miss(
                expected="basic authentication or OAuth",
                observed=" and ".join(_patterns(variables)),
                where=one.where,
                next=_values(one, workloads),
            )
