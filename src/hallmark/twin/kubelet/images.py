"""Images: a catalogue in place of registries. What it does not know cannot be pulled, in containerd's words.

The names are those of containerd: ``busybox`` is ``docker.io/library/busybox:latest`` (distribution/reference).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.shell import commands, interpreter

PACKAGE = "hallmark.twin.programs"
CLICKHOUSE = "hallmark.twin.stores.clickhouse.pod"
SHELL = f"{PACKAGE}.shell.interpreter"
BUILTINS = frozenset({":", "cd", "exec", "exit", "export", "set"})
"""Commands of a shell that are no files."""
REGISTRIES = (
    "docker.io", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io", "public.ecr.aws", "*.dkr.ecr.*.amazonaws.com",
    "oci.external-secrets.io",
)  # fmt: skip
"""Hosts that exist."""
DOCKER_HUB = "registry-1.docker.io"
_PART = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_REFERENCE = re.compile(  # a port is one only before a slash
    rf"(?P<repository>(?:{_PART}(?::\d+)?/)?{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


class PullFailed(Exception):
    """An image cannot be pulled; the message is the runtime's.

    Attributes:
        reason: Waiting reason of the container.
    """

    def __init__(self, message: str, reason: str = "ErrImagePull") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


@dataclass(frozen=True)
class Program:
    """What runs in a container.

    Attributes:
        module: Its Python module.
        settings: What the catalogue tells it.
        memory: Working set when idle, bytes.
        cpu: Use when idle, millicores.
    """

    module: str
    settings: Mapping[str, Any]
    memory: int
    cpu: int

    @cached_property
    def commands(self) -> Mapping[str, interpreter.Command]:
        """Executable files of the image, so to speak."""
        return commands.known(_nowhere(self.settings))

    def missing(self, command: Sequence[str]) -> str:
        """The file that cannot be executed, if the shell is to run a command and has no such file."""
        if self.module != SHELL or not command:
            return ""
        known = interpreter.find(self.commands, command[0]) and command[0] not in BUILTINS
        return "" if known else command[0]


@dataclass(frozen=True)
class Image:
    """One image of the catalogue.

    Attributes:
        name: Full name with tag or digest.
        entry: What the catalogue says.
        version: The tag.
    """

    name: str
    entry: Mapping[str, Any]
    version: str

    @property
    def identity(self) -> str:
        """Its ID as a node reports it; the digest is made up from the name, there is no content."""
        return f"{self.name.split('@')[0].rsplit(':', 1)[0]}@sha256:{sha256(self.name.encode()).hexdigest()}"

    def program(self, container: str, command: Sequence[str]) -> Program:
        """Choose the program for a container with this name, command and arguments.

        The image's own program runs when the command is one of its entry points; any other command is left to the
        shell, which knows a few commands and executes nothing.
        """
        about = " ".join((container, *command))
        roles = self.entry.get("roles", [{"match": ""}])
        merged = {**self.entry, **next(each for each in roles if re.search(each["match"], about))}
        entrypoints = merged.get("entrypoints", "")
        named = merged["program"]
        own = named if named.startswith("hallmark.") else f"{PACKAGE}.{named}"
        runs_own = not command or (own != SHELL and _is_entrypoint(entrypoints, command))
        settings = {
            key: value for key, value in merged.items() if key not in {"repositories", "tags", "roles", "match"}
        }
        settings |= {"program": own, "title": container, "version": self.version}
        memory, cpu = int(quantities.parse(merged["memory"])), int(quantities.parse(merged["cpu"]) * 1000)
        return Program(own if runs_own else SHELL, settings, memory, cpu)


class Catalogue:
    """All images there are.

    Args:
        entries: As in ``catalog.toml``.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._entries = entries

    @classmethod
    def read(cls, library: Path | None = None) -> Self:
        """Read the catalogue of the package.

        Args:
            library: Of ClickHouse's own listeners, see :mod:`hallmark.twin.stores.clickhouse.library`.
        """
        text = files(PACKAGE).joinpath("catalog.toml").read_text(encoding="utf-8")
        entries = tomllib.loads(text)["images"]
        told = {"library": str(library)} if library else {}
        return cls([{**each, **told} if each["program"] == CLICKHOUSE else each for each in entries])

    def pull(self, reference: str) -> Image:
        """Find an image by the name a pod gives it.

        Raises:
            PullFailed: There is no such name, repository or tag.
        """
        found = _REFERENCE.fullmatch(reference)
        if not found:
            said = f'Failed to apply default image tag "{reference}": couldn\'t parse image name "{reference}": '
            raise PullFailed(f"{said}invalid reference format", "InvalidImageName")
        repository, tag, digest = _repository(found["repository"]), found["tag"], found["digest"]
        name = full_name(reference)
        entries = [each for each in self._entries if any(fnmatchcase(repository, one) for one in each["repositories"])]
        if not entries:
            raise PullFailed(_no_repository(repository, name))
        wanted = tag or ("" if digest else "latest")
        for entry in entries:
            if not wanted or re.fullmatch(entry["tags"], wanted):
                return Image(name, entry, wanted or digest)
        raise PullFailed(_pulling("NotFound", name, f"{name}: not found"))


def unanswered(reference: str, host: str, address: str) -> PullFailed:
    """What containerd says where a registry cannot be reached: no connection was made before it gave up.

    Args:
        reference: The image, as a pod names it.
        host: What was asked.
        address: What that name led to.
    """
    name = full_name(reference)
    path, _, tag = name.partition("/")[2].rpartition("@" if "@" in name else ":")
    asked = f'Head "https://{host}/v2/{path}/manifests/{tag}"'
    return PullFailed(
        _pulling("DeadlineExceeded", name, f"failed to do request: {asked}: dial tcp {address}:443: i/o timeout")
    )


def hosts(reference: str) -> tuple[str, ...]:
    """What a node asks for an image: its registry; where that is ECR, S3 as well, which has the layers.

    Source: ECR user guide, "Amazon ECR interface VPC endpoints".
    """
    registry = full_name(reference).partition("/")[0]
    private = re.fullmatch(r"\d+\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com", registry)
    if private:
        return f"api.ecr.{private[1]}.amazonaws.com", registry, f"s3.{private[1]}.amazonaws.com"
    return (DOCKER_HUB if registry == "docker.io" else registry,)


def full_name(reference: str) -> str:
    """An image's name with registry, and tag or digest; what is no name stays as it is."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return reference
    repository, tag, digest = _repository(found["repository"]), found["tag"], found["digest"]
    return f"{repository}@{digest}" if digest else f"{repository}:{tag or 'latest'}"


def _repository(name: str) -> str:
    first, _, rest = name.partition("/")
    if not rest:
        return f"docker.io/library/{name}"
    if "." not in first and ":" not in first and first != "localhost":
        return f"docker.io/{name}"
    return f"docker.io/library/{rest}" if first == "docker.io" and "/" not in rest else name


def _no_repository(repository: str, name: str) -> str:
    host, _, path = repository.partition("/")
    if not any(fnmatchcase(host, each) for each in REGISTRIES):
        url = f"https://{host}/v2/{path}/manifests/{name.rsplit(':', 1)[-1]}"
        return _pulling("Unknown", name, f'failed to do request: Head "{url}": dial tcp: lookup {host}: no such host')
    if host == "docker.io":
        denied = "pull access denied, repository does not exist or may require authorization: server message: "
        return _pulling("Unknown", name, f"{denied}insufficient_scope: authorization failed")
    return _pulling("NotFound", name, f"{name}: not found")


def _pulling(code: str, name: str, why: str) -> str:
    return (
        f'rpc error: code = {code} desc = failed to pull and unpack image "{name}": '
        f'failed to resolve reference "{name}": {why}'
    )


def _is_entrypoint(pattern: str, command: Sequence[str]) -> bool:
    if not pattern:
        return False
    script = command[2] if len(command) > 2 and command[1] == "-c" else ""  # noqa: PLR2004  (sh -c SCRIPT)
    return bool(re.fullmatch(pattern, script or command[0]))


def _nowhere(settings: Mapping[str, Any]) -> Container:
    names = dict.fromkeys(("name", "pod", "namespace", "root", "address", "ip", "gate", "log"), "")
    spec = {**names, "arguments": [], "environment": {}, "read_only": [], "speed": 1.0, "settings": settings}
    return Container.of(spec)
