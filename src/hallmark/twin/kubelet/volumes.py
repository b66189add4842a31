"""Volumes: folders of this machine that programs see at their mount paths, below a root folder a container.

Nothing of the machine itself is ever mounted: a ``hostPath`` is an empty folder. Mounts are symbolic links from the
container's root into the pod's volumes. Source of the words: Kubernetes ``pkg/volume``.
"""

import base64
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hallmark.twin.files import write
from hallmark.twin.kube.kinds import Object
from hallmark.twin.kubelet.environment import field, resource_field

TOKEN_SECONDS = 3600
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
READ_ONLY_KINDS = frozenset({"configMap", "secret", "projected", "downwardAPI"})


class MountFailed(Exception):
    """A volume cannot be set up: the pod waits, and the message is in the event ``FailedMount``."""


@dataclass(frozen=True)
class Stock:
    """What volumes are made of.

    Attributes:
        secret: Looks a Secret of the pod's namespace up.
        config_map: Looks a ConfigMap up.
        claim: Looks a PersistentVolumeClaim up.
        token: Asks for a token of the pod's service account: audience, seconds.
        addresses: Of the pod, see :class:`hallmark.twin.kubelet.environment.Sources`.
        allocatable: Of the node.
    """

    secret: Callable[[str], Object | None]
    config_map: Callable[[str], Object | None]
    claim: Callable[[str], Object | None]
    token: Callable[[str, int], Awaitable[str]]
    addresses: Mapping[str, str]
    allocatable: Mapping[str, str]


class Volumes:
    """The volumes of one pod.

    Args:
        folder: The pod's folder.
        disks: Folder of persistent volumes, which outlive pods.
    """

    def __init__(self, folder: Path, disks: Path) -> None:
        self._folder = folder
        self._disks = disks
        self._places: dict[str, Path] = {}

    async def set_up(self, pod: Object, stock: Stock) -> None:
        """Make every volume of the pod, or bring it up to date.

        Raises:
            MountFailed: One is missing what it is made of.
        """
        for volume in pod["spec"].get("volumes") or []:
            _checked(volume["name"])
            if claim := volume.get("persistentVolumeClaim"):
                self._places[volume["name"]] = self._disk(pod, volume["name"], claim["claimName"], stock)
                continue
            place = self._folder / "volumes" / volume["name"]
            place.mkdir(parents=True, exist_ok=True)
            self._places[volume["name"]] = place
            if files := await _files(pod, volume, stock):
                _fill(place, files)

    def root(self, pod: Object, container: Object) -> tuple[Path, tuple[str, ...]]:
        """The root folder of a container, with its mounts, and which of them cannot be written.

        Raises:
            MountFailed: A ``subPath`` leads out of its volume.
        """
        root = self._folder / "containers" / _checked(container["name"])
        root.mkdir(parents=True, exist_ok=True)
        kinds = {volume["name"]: set(volume) for volume in pod["spec"].get("volumes") or []}
        mounts = sorted(container.get("volumeMounts") or [], key=lambda mount: str(mount["mountPath"]).count("/"))
        read_only = []
        for mount in mounts:
            inside = os.path.normpath(f"/{mount['mountPath'].lstrip('/')}")
            self._link(root, inside, mount)
            if mount.get("readOnly") or kinds[mount["name"]] & READ_ONLY_KINDS:
                read_only.append(inside)
        for name in ("tmp", "dev", "etc"):
            (root / name).mkdir(exist_ok=True)
        for name, text in _network_files(pod).items():
            if not (root / "etc" / name).exists():
                write(root / "etc" / name, text)
        return root, tuple(read_only)

    def remove(self) -> None:
        """Forget everything but persistent volumes."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _disk(self, pod: Object, volume: str, claim: str, stock: Stock) -> Path:
        found = stock.claim(claim)
        if found is None:
            name = f"{pod['metadata']['namespace']}/{claim}"
            raise MountFailed(
                f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to "
                f"process volumes=[{volume}]: error processing PVC {name}: failed to fetch PVC from API server: "
                f'persistentvolumeclaims "{claim}" not found'
            )
        if (found.get("status") or {}).get("phase") != "Bound":
            raise MountFailed(
                f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to "
                f"process volumes=[{volume}]: PVC {pod['metadata']['namespace']}/{claim} is not bound"
            )
        place = self._disks / _checked(found["spec"]["volumeName"])
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _link(self, root: Path, inside: str, mount: Mapping[str, Any]) -> None:
        source = self._places[mount["name"]]
        if sub := mount.get("subPath"):
            if ".." in PurePosixPath(sub).parts or sub.startswith("/"):
                raise MountFailed(f'subPath "{sub}" not within volume path')
            source = source / sub
            if not source.exists():
                source.mkdir(parents=True)
        link = root / inside.lstrip("/")
        if inside == "/" or (link.is_symlink() and link.resolve() == source.resolve()):
            return
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink():
            link.unlink()
        elif link.is_dir():
            shutil.rmtree(link)
        link.symlink_to(source)


def _network_files(pod: Object) -> dict[str, str]:
    # What a kubelet gives every container; addresses are looked up by name all the same.
    search = f"{pod['metadata']['namespace']}.svc.cluster.local svc.cluster.local cluster.local"
    host = pod["spec"].get("hostname") or pod["metadata"]["name"]
    ip = (pod.get("status") or {}).get("podIP", "")
    return {
        "hostname": f"{host}\n",
        "hosts": f"# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n{ip}\t{host}\n",
        "resolv.conf": f"search {search}\nnameserver 172.20.0.10\noptions ndots:5\n",
    }


async def _files(pod: Object, volume: Mapping[str, Any], stock: Stock) -> dict[str, bytes]:
    name = volume["name"]
    if source := volume.get("secret"):
        return _entries(name, "secret", stock.secret(source["secretName"]), source["secretName"], source)
    if source := volume.get("configMap"):
        return _entries(name, "configmap", stock.config_map(source["name"]), source["name"], source)
    if source := volume.get("downwardAPI"):
        return _downward(pod, source, stock)
    found: dict[str, bytes] = {}
    for source in (volume.get("projected") or {}).get("sources") or []:
        found |= await _projected(pod, name, source, stock)
    return found


async def _projected(pod: Object, volume: str, source: Mapping[str, Any], stock: Stock) -> dict[str, bytes]:
    if token := source.get("serviceAccountToken"):
        seconds = int(token.get("expirationSeconds") or TOKEN_SECONDS)
        return {_path(token["path"]): (await stock.token(token.get("audience", ""), seconds)).encode()}
    if part := source.get("secret"):
        return _entries(volume, "secret", stock.secret(part["name"]), part["name"], part)
    if part := source.get("configMap"):
        return _entries(volume, "configmap", stock.config_map(part["name"]), part["name"], part)
    return _downward(pod, source.get("downwardAPI") or {}, stock)


def _entries(volume: str, kind: str, thing: Object | None, name: str, source: Mapping[str, Any]) -> dict[str, bytes]:
    optional = source.get("optional", False)
    if thing is None:
        if optional:
            return {}
        raise MountFailed(f'MountVolume.SetUp failed for volume "{volume}" : {kind} "{name}" not found')
    data = {key: _bytes(thing, value) for key, value in (thing.get("data") or {}).items()}
    data |= {key: base64.b64decode(value) for key, value in (thing.get("binaryData") or {}).items()}
    if not source.get("items"):
        return data
    found = {}
    for item in source["items"]:
        if item["key"] in data:
            found[_path(item["path"])] = data[item["key"]]
        elif not optional:
            word = "secret" if kind == "secret" else "config"
            said = f"references non-existent {word} key: {item['key']}"
            raise MountFailed(f'MountVolume.SetUp failed for volume "{volume}" : {said}')
    return found


def _bytes(thing: Object, value: str) -> bytes:
    return base64.b64decode(value or "") if thing["kind"] == "Secret" else value.encode()


def _downward(pod: Object, source: Mapping[str, Any], stock: Stock) -> dict[str, bytes]:
    found = {}
    for item in source.get("items") or []:
        if reference := item.get("fieldRef"):
            text = field(pod, reference["fieldPath"], stock.addresses)
        else:
            text = resource_field(pod, pod["spec"]["containers"][0], item["resourceFieldRef"], stock.allocatable)
        found[_path(item["path"])] = text.encode()
    return found


def _fill(place: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        file = place / name
        if not file.exists() or file.read_bytes() != content:
            write(file, content)
            file.chmod(0o600)
    for old in _present(place) - set(files):
        (place / old).unlink()


def _present(place: Path) -> set[str]:
    return {str(each.relative_to(place)) for each in place.rglob("*") if each.is_file()}


def _path(text: str) -> str:
    if text.startswith("/") or ".." in PurePosixPath(text).parts:
        raise MountFailed(f'invalid path "{text}"')
    return str(PurePosixPath(text))


def _checked(name: str) -> str:
    # The API validates names; a folder must not depend on it.
    if not NAME.fullmatch(name):
        raise MountFailed(f'invalid name "{name}"')
    return name


def mentions(pod: Object) -> Iterable[tuple[str, str]]:
    """Kinds and names of what a pod's volumes are made of, so that a change of one can be noticed."""
    for volume in pod["spec"].get("volumes") or []:
        sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
        for source in sources:
            if part := source.get("secret"):
                yield "Secret", part.get("secretName") or part.get("name", "")
            if part := source.get("configMap"):
                yield "ConfigMap", part["name"]
