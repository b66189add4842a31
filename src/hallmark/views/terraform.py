"""The learner's Terraform files: what they declare, and whether they give secrets away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hallmark.model import Call
from hallmark.views.base import View, cached_property

# Backends whose service encrypts everything it stores and cannot be told not to (Terraform and vendor documentation).
_ENCRYPTED_BY_SERVICE = frozenset({"cloud", "remote", "azurerm", "gcs"})
# Tags that AWS, Kubernetes or a person's taste sets: they do not say which project a resource belongs to.
_FOREIGN_TAGS = ("aws:", "kubernetes.io/", "k8s.io/", "eks:", "alpha.eksctl.io/", "Name")


@dataclass(frozen=True)
class Inventory:
    """The files of the Terraform root and its local modules.

    Attributes:
        files: Paths of text files, relative to the project.
        problems: What does not parse: file and line.
        states: Local state files that hold resources.
    """

    files: tuple[str, ...]
    problems: tuple[str, ...]
    states: tuple[str, ...]

    @property
    def code(self) -> tuple[str, ...]:
        """The Terraform code among the files."""
        return tuple(file for file in self.files if file.endswith((".tf", ".tf.json")))


@dataclass(frozen=True)
class Backend:
    """Where Terraform keeps its state.

    Attributes:
        type: For example ``s3``; ``local`` when nothing is declared.
        is_encrypted: Whether the files or the service promise that the state is encrypted where it lies.
    """

    type: str
    is_encrypted: bool


@dataclass(frozen=True)
class Finding:
    """A secret in a file: where, and of which kind. Never its value."""

    file: str
    line: int
    kind: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.kind})"


class Terraform(View):
    """The folder the target names as the learner's Terraform root."""

    @property
    def folder(self) -> str:
        """Its path, relative to the project."""
        return self.scope("terraform")

    @cached_property
    def inventory(self) -> Inventory | None:
        """Its files; None when there is no such folder."""
        found = self.ask_or(None, "files", "inventory", path=self.folder)
        return Inventory(*(tuple(found[name]) for name in ("files", "problems", "states"))) if found else None

    @cached_property
    def declared(self) -> Mapping[str, Any]:
        """What the files declare: resources, modules, providers, backends, values; empty without a folder."""
        found: Mapping[str, Any] = self.ask_or({}, "files", "terraform", path=self.folder)
        return found

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """Variables as the folder's ``*.tfvars`` files set them. Values of telling names are redacted."""
        values: Mapping[str, Any] = self.declared.get("values", {})
        return values

    @cached_property
    def backend(self) -> Backend:
        """Where the state goes."""
        declared = self.declared["backends"]
        if not declared:
            return Backend("local", is_encrypted=False)
        kind = declared[0]["type"]
        # Partial configuration: settings may stand in a *.tfbackend file (Terraform, "Backend configuration").
        settings = {**declared[0]["settings"], **self.declared["backend_settings"]}
        return Backend(kind, kind in _ENCRYPTED_BY_SERVICE or (kind == "s3" and settings.get("encrypt") is True))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Secrets written into the files."""
        found = self.ask("files", "leaks", path=self.folder)["findings"]
        return tuple(Finding(each["file"], each["line"], each["kind"]) for each in found)

    @cached_property
    def common_tags(self) -> Mapping[str, str]:
        """Tags that cluster, node groups and buckets share, those of AWS and Kubernetes left out."""
        compute, storage = self.views.compute, self.views.storage
        cluster = self.scope("cluster")
        names = [group.name for group in compute.node_groups]
        calls = [Call.of("eks", "describe_nodegroup", clusterName=cluster, nodegroupName=name) for name in names]
        tagged = [compute.cluster, *(answer["nodegroup"] for answer in self.ask_all(calls))]
        sets = [set(each.get("tags", {}).items()) for each in tagged]
        sets += [set((bucket.tags or {}).items()) for bucket in storage.buckets]
        return {key: value for key, value in set.intersection(*sets) if not key.startswith(_FOREIGN_TAGS)}
