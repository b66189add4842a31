"""Secrets Manager: who names no version gets the one with the label AWSCURRENT, also after the label was moved.

moto moves the label and goes on giving out the version that was current before.
"""

from typing import Any

from moto.secretsmanager.models import SecretsManagerBackend

from hallmark.twin.aws.extension.patching import Function, around

CURRENT = "AWSCURRENT"


def install() -> None:
    """Note which version is current whenever a label is moved."""
    around(SecretsManagerBackend, "update_secret_version_stage")(_move)


def _move(original: Function, backend: SecretsManagerBackend, *args: Any, **kwargs: Any) -> Any:
    arn, name = original(backend, *args, **kwargs)
    secret: Any = backend.secrets[name]
    for version, about in secret.versions.items():
        if CURRENT in about["version_stages"]:
            secret.set_default_version_id(version)
    return arn, name
