"""External Secrets reads all values or none, and never lets one out in a message."""

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.external_secrets import desired
from hallmark.twin.controllers.aws.external_secrets.kinds import DATA_HASH
from hallmark.twin.controllers.aws.external_secrets.provider import Provider
from hallmark.twin.controllers.aws.external_secrets.template import Unrenderable, render

SECRETS = {"app/salt": "s4lt-v4lue", "app/db": '{"user": "u", "password": "p w", "port": 5432}'}


class Store:
    """Secrets Manager with two secrets, one of which may be forbidden."""

    def __init__(self, forbidden: str = "") -> None:
        self._forbidden = forbidden

    def get_secret_value(self, SecretId: str, **_: str) -> dict[str, str]:  # noqa: N803  (boto3's name)
        """Answer as boto3 does."""
        if SecretId == self._forbidden:
            raise ClientError(
                {"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "GetSecretValue"
            )
        if SecretId not in SECRETS:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "gone"}}, "GetSecretValue")
        return {"SecretString": SECRETS[SecretId]}


def read(spec: dict[str, Any], forbidden: str = "") -> dict[str, str]:
    """Read what an ExternalSecret asks for."""
    return desired.values(spec, Provider("SecretsManager", Store(forbidden), lambda: None))


def entry(key: str, name: str, member: str = "") -> dict[str, Any]:
    """One entry of ``spec.data``."""
    return {"secretKey": key, "remoteRef": {"key": name, **({"property": member} if member else {})}}


def test_values_and_members_of_json_are_read() -> None:
    """Numbers come as text."""
    spec = {"data": [entry("salt", "app/salt"), entry("port", "app/db", "port")]}

    assert read(spec) == {"salt": "s4lt-v4lue", "port": "5432"}


def test_a_whole_json_object_can_be_taken() -> None:
    """``dataFrom.extract``; single entries win."""
    spec = {"dataFrom": [{"extract": {"key": "app/db"}}], "data": [entry("user", "app/salt")]}

    assert read(spec) == {"user": "s4lt-v4lue", "password": "p w", "port": "5432"}


@pytest.mark.parametrize(
    ("spec", "forbidden", "words"),
    [
        (
            {"data": [entry("salt", "app/salt"), entry("x", "app/nope")]},
            "",
            r"error processing spec.data\[1\] \(key: app/nope\), err: Secret does not exist",
        ),
        ({"data": [entry("salt", "app/salt")]}, "app/salt", "AccessDeniedException: not authorized"),
        ({"data": [entry("x", "app/db", "host")]}, "", "key host does not exist in secret app/db"),
        ({"data": [entry("x", "app/salt", "host")]}, "", "unable to unmarshal secret app/salt"),
        ({"data": [], "target": {"template": {"data": {"url": "{{ .host }}"}}}}, "", 'no entry for key "host"'),
    ],
)
def test_one_that_cannot_be_had_keeps_back_all(spec: dict[str, Any], forbidden: str, words: str) -> None:
    """SE-51; in the operator's words, and without any value."""
    with pytest.raises(desired.NotSynced, match=words) as caught:
        read(spec, forbidden)

    assert not any(value in str(caught.value) for value in ("s4lt-v4lue", "p w"))


def test_a_template_makes_what_the_chart_wants() -> None:
    """Only what the template names ends up in the Secret."""
    template = {"data": {"connection_url": "postgres://{{ .user }}:{{ .password | urlquery }}@db:{{ .port }}/app"}}
    spec = {"dataFrom": [{"extract": {"key": "app/db"}}], "target": {"template": template}}

    assert read(spec) == {"connection_url": "postgres://u:p+w@db:5432/app"}


@pytest.mark.parametrize("template", ["{{ range .x }}", "{{ .user | env }}", "{{ include }}"])
def test_what_is_not_known_is_refused_not_passed_through(template: str) -> None:
    """A half-rendered template would be a wrong password."""
    with pytest.raises(Unrenderable, match="unable to parse template"):
        render(template, {"user": "u", "x": "y"})


def test_the_secret_is_owned_and_knows_its_own_content() -> None:
    """So that an edit by hand is noticed and put back (SE-55)."""
    external = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "config", "namespace": "app", "uid": "1"},
        "spec": {"target": {"name": "app-config"}},
    }

    made = desired.secret(external, {"salt": "x"})

    assert made["metadata"]["name"] == "app-config"
    assert made["metadata"]["ownerReferences"][0]["name"] == "config"
    assert made["data"] == {"salt": base64.b64encode(b"x").decode()}
    assert made["metadata"]["annotations"][DATA_HASH] == desired.digest(made["data"])
