"""What can be wrong with authentication, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

SERVING = ("langsmith-backend", "langsmith-platform-backend")


def _environments(edit: Edit) -> Iterator[list[dict[str, Any]]]:
    for deployment in edit.objects("deployments"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            if any(one["name"] == "BASIC_AUTH_ENABLED" for one in container.get("env", [])):
                yield container["env"]


def _set(edit: Edit, name: str, value: str) -> None:
    for environment in _environments(edit):
        for variable in environment:
            if variable["name"] == name:
                variable["value"] = value


def _configuration(edit: Edit) -> dict[str, Any]:
    """The ConfigMap with the common settings."""
    found = next(one for one in edit.objects("configmaps") if "AUTH_TYPE" in one.get("data", {}))
    data: dict[str, Any] = found["data"]
    return data


def _sign_on(edit: Edit) -> None:
    """Let the application have the keys of single sign-on."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if "api_key_salt" in secret["keys"]:
            for key in ("oauth_client_id", "oauth_client_secret", "oauth_issuer_url"):
                secret["keys"][key] = {"empty": False, "digest": "<redacted 0>"}
    for environment in _environments(edit):
        for key in ("oauth_client_id", "oauth_client_secret", "oauth_issuer_url"):
            reference = {"secretKeyRef": {"name": "langsmith-config", "key": key}}
            environment.append({"name": key.upper(), "valueFrom": reference})


@mutant(breaks=["auth_configured"])
def no_authentication(edit: Edit) -> None:
    """The validation was skipped: everybody is a user."""
    _configuration(edit)["AUTH_TYPE"]["value"] = "none"
    _set(edit, "BASIC_AUTH_ENABLED", "false")


@mutant(breaks=["auth_configured"])
def no_way_of_signing_in(edit: Edit) -> None:
    """A type, and neither of the two patterns."""
    _set(edit, "BASIC_AUTH_ENABLED", "false")


@mutant(breaks=["auth_configured"])
def type_is_not_set(edit: Edit) -> None:
    """The setting is missing."""
    del _configuration(edit)["AUTH_TYPE"]


@mutant(breaks=["auth_single"])
def two_patterns(edit: Edit) -> None:
    """Basic authentication was left on when single sign-on came."""
    _sign_on(edit)


@mutant(breaks=[])
def single_sign_on_instead(edit: Edit) -> None:
    """OIDC instead of basic authentication."""
    _set(edit, "BASIC_AUTH_ENABLED", "false")
    _sign_on(edit)


@mutant(breaks=[])
def single_sign_on_of_the_other_type(edit: Edit) -> None:
    """The type oauth."""
    _configuration(edit)["AUTH_TYPE"]["value"] = "oauth"
    _set(edit, "BASIC_AUTH_ENABLED", "false")
    _sign_on(edit)
