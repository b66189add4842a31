"""The AWS provider: reading one value from Secrets Manager or Parameter Store."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

_MISSING = frozenset({"ResourceNotFoundException", "ParameterNotFound", "ParameterVersionNotFound"})
NO_SECRET = "Secret does not exist"  # noqa: S105  (the operator's message)


class Unreadable(Exception):
    """A value could not be read; the message is the operator's own and never holds a value."""


class Provider:
    """One store.

    Args:
        service: ``SecretsManager`` or ``ParameterStore``.
        client: A boto3 client of the service, acting as the store's role.
        refused: Called when AWS refuses: the next reading begins a session of its own.
    """

    def __init__(self, service: str, client: Any, refused: Callable[[], None]) -> None:
        self._service = service
        self._client = client
        self._refused = refused

    def value(self, reference: Mapping[str, Any]) -> str:
        """Return the value a ``remoteRef`` names.

        Raises:
            Unreadable: It does not exist, may not be read, or has no such property.
        """
        whole = self._read(reference["key"], reference.get("version", ""))
        return _member(whole, reference) if reference.get("property") else whole

    def members(self, reference: Mapping[str, Any]) -> dict[str, str]:
        """Return every member of a value that is a JSON object (``dataFrom.extract``).

        Raises:
            Unreadable: It is none.
        """
        content = _object(self.value(reference), reference["key"])
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in content.items()}

    def _read(self, name: str, version: str) -> str:
        try:
            if self._service == "ParameterStore":
                return self._parameter(f"{name}:{version}" if version else name)
            return self._secret(name, version)
        except ClientError as error:
            said = error.response["Error"]
            self._refused()
            raise Unreadable(NO_SECRET if said["Code"] in _MISSING else f"{said['Code']}: {said['Message']}") from error

    def _parameter(self, name: str) -> str:
        answer = self._client.get_parameter(Name=name, WithDecryption=True)
        value: str = answer["Parameter"]["Value"]
        return value

    def _secret(self, name: str, version: str) -> str:
        which = {"VersionStage": version or "AWSCURRENT"}
        if version.startswith("uuid/"):
            which = {"VersionId": version.removeprefix("uuid/")}
        answer = self._client.get_secret_value(SecretId=name, **which)
        binary: bytes = answer.get("SecretBinary", b"")
        return answer.get("SecretString") or binary.decode()


def _member(whole: str, reference: Mapping[str, Any]) -> str:
    name, content = reference["property"], _object(whole, reference["key"])
    if name not in content:
        raise Unreadable(f"key {name} does not exist in secret {reference['key']}")
    value = content[name]
    return value if isinstance(value, str) else json.dumps(value)


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Unreadable(f"unable to unmarshal secret {name}: it is not a JSON object")
    return content
