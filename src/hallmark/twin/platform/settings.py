"""What the API and the workers read from their environment, beyond the addresses of the stores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith import blob


@dataclass(frozen=True)
class Settings:
    """One workload's settings.

    Attributes:
        version: Of the application, from its image's tag.
        salt: Goes into the hash of each API key.
        secret: Signs the tokens of a login.
        service: Signs the tokens by which services know each other.
        basic: Whether users log in with a password.
        private_info: Whether ``/info`` wants a key, too.
        blobs: Whether large payloads go to S3.
        large: From how many bytes on a payload is large.
        expiry: Seconds for which a run may wait in Redis.
        license: The license key.
    """

    version: str
    salt: str
    secret: str
    service: str
    basic: bool
    private_info: bool
    blobs: bool
    large: int
    expiry: int
    license: str

    @classmethod
    def of(cls, container: Container) -> Self:
        """Read a container's environment."""
        environment = container.environment
        return cls(
            version=container.settings["version"],
            salt=environment.get("API_KEY_SALT", ""),
            secret=environment.get("BASIC_AUTH_JWT_SECRET", ""),
            service=environment.get("X_SERVICE_AUTH_JWT_SECRET", ""),
            basic=is_true(environment, "BASIC_AUTH_ENABLED"),
            private_info=is_true(environment, "FF_INFO_ENDPOINT_AUTH_REQUIRED"),
            blobs=blob.enabled(environment),
            large=number(environment, "MIN_BLOB_STORAGE_SIZE_KB", 20) * 1024,
            expiry=number(environment, "REDIS_RUNS_EXPIRY_SECONDS", 21_600),
            license=environment.get("LANGSMITH_LICENSE_KEY", ""),
        )


def is_true(environment: Mapping[str, str], name: str) -> bool:
    """Read a switch."""
    return environment.get(name, "").lower() == "true"


def number(environment: Mapping[str, str], name: str, otherwise: int) -> int:
    """Read a number; what is none counts as not given."""
    value = environment.get(name, "").strip()
    return int(value) if value.isdigit() else otherwise
