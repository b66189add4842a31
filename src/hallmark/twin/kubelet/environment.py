"""The environment of a container, as the kubelet makes it.

Source: Kubernetes ``pkg/kubelet/kubelet_pods.go`` (makeEnvironmentVariables), ``pkg/kubelet/envvars``, and
"Define Dependent Environment Variables" of the documentation.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING
from typing import Any

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.kube.kinds import Object

BASE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}
_REFERENCE = re.compile(r"\$(?:\$|\(([^()$\s]+)\))")


class ConfigError(Exception):
    """A container cannot be made: ``CreateContainerConfigError``, with the kubelet's words."""


@dataclass(frozen=True)
class Sources:
    """Where values come from; all of the pod's own namespace.

    Attributes:
        secret: Looks a Secret up.
        config_map: Looks a ConfigMap up.
        services: Services that get link variables.
        addresses: ``status.podIP``, ``status.hostIP``: what the pod's status may not say yet.
        allocatable: The node's, for limits that are not set.
    """

    secret: Callable[[str], Object | None]
    config_map: Callable[[str], Object | None]
    services: Iterable[Object]
    addresses: Mapping[str, str]
    allocatable: Mapping[str, str]


def resolve(pod: Object, container: Object, sources: Sources) -> dict[str, str]:
    """All variables of a container.

    Raises:
        ConfigError: A Secret, a ConfigMap or a key of one is missing.
    """
    given: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        given |= _all_of(source, sources)
    links = service_links(sources.services) if pod["spec"].get("enableServiceLinks", True) else {}
    for variable in container.get("env") or []:
        value = _value(pod, container, variable, sources, {**links, **given})
        if value is not None:
            given[variable["name"]] = value
    host = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return {**BASE, "HOSTNAME": host, **{name: value for name, value in links.items() if name not in given}, **given}


def service_links(services: Iterable[Object]) -> dict[str, str]:
    """Variables in the manner of Docker links (Kubernetes documentation, "Service", environment variables)."""
    found: dict[str, str] = {}
    for service in services:
        ip, ports = service["spec"].get("clusterIP"), service["spec"].get("ports") or []
        if not ip or ip == "None" or not ports:
            continue
        name = service["metadata"]["name"].upper().replace("-", "_")
        found |= {f"{name}_SERVICE_HOST": ip, f"{name}_SERVICE_PORT": str(ports[0]["port"])}
        found[f"{name}_PORT"] = f"{ports[0].get('protocol', 'TCP').lower()}://{ip}:{ports[0]['port']}"
        for port in ports:
            if port.get("name"):
                found[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
            protocol = port.get("protocol", "TCP")
            prefix = f"{name}_PORT_{port['port']}_{protocol}"
            url = f"{protocol.lower()}://{ip}:{port['port']}"
            found |= {prefix: url, f"{prefix}_PROTO": protocol.lower(), f"{prefix}_PORT": str(port["port"])}
            found[f"{prefix}_ADDR"] = ip
    return found


def expand(text: str, known: Mapping[str, str]) -> str:
    """Fill in ``$(NAME)``; ``$$`` is a dollar, and a name that is not known stays as it stands."""

    def fill(found: re.Match[str]) -> str:
        return "$" if found[1] is None else known.get(found[1], found[0])

    return _REFERENCE.sub(fill, text)


def _all_of(source: Mapping[str, Any], sources: Sources) -> dict[str, str]:
    for key, look_up, kind in (
        ("configMapRef", sources.config_map, "configmap"),
        ("secretRef", sources.secret, "secret"),
    ):
        if reference := source.get(key):
            thing = look_up(reference["name"])
            if thing is None and not reference.get("optional"):
                raise ConfigError(f'{kind} "{reference["name"]}" not found')
            return {f"{source.get('prefix', '')}{name}": value for name, value in contents(thing).items()}
    return {}


def contents(thing: Object | None) -> dict[str, str]:
    """The entries of a Secret or a ConfigMap, as text."""
    if thing is None:
        return {}
    data = thing.get("data") or {}
    if thing["kind"] == "Secret":
        return {name: base64.b64decode(value or "").decode("utf-8", "replace") for name, value in data.items()}
    return dict(data)


def _value(
    pod: Object, container: Object, variable: Mapping[str, Any], sources: Sources, known: Mapping[str, str]
) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return expand(variable.get("value") or "", known)
    if reference := source.get("secretKeyRef"):
        return _key(pod, reference, sources.secret, "Secret")
    if reference := source.get("configMapKeyRef"):
        return _key(pod, reference, sources.config_map, "ConfigMap")
    if reference := source.get("resourceFieldRef"):
        return resource_field(pod, container, reference, sources.allocatable)
    return field(pod, source["fieldRef"]["fieldPath"], sources.addresses)


def _key(pod: Object, reference: Mapping[str, Any], look_up: Callable[[str], Object | None], kind: str) -> str | None:
    name, key = reference["name"], reference["key"]
    thing = look_up(name)
    found = contents(thing)
    if key in found:
        return found[key]
    if reference.get("optional"):
        return None
    if thing is None:
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    raise ConfigError(f"couldn't find key {key} in {kind} {pod['metadata']['namespace']}/{name}")


def field(pod: Object, path: str, addresses: Mapping[str, str]) -> str:
    """A field of a pod (Kubernetes documentation, "Downward API")."""
    metadata = pod["metadata"]
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path):
        return str((metadata.get(found[1]) or {}).get(found[2], ""))
    if path in {"metadata.labels", "metadata.annotations"}:
        pairs = metadata.get(path.removeprefix("metadata.")) or {}
        return "\n".join(f'{name}="{value}"' for name, value in sorted(pairs.items()))
    plain: dict[str, str] = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIPs": addresses.get("status.podIP", ""),
        "status.hostIPs": addresses.get("status.hostIP", ""),
    }
    return plain.get(path, addresses.get(path, ""))


def resource_field(pod: Object, container: Object, reference: Mapping[str, Any], allocatable: Mapping[str, str]) -> str:
    """A limit or request of a container, in units of the divisor, rounded up."""
    containers: list[Object] = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    named = next((each for each in containers if each["name"] == reference.get("containerName")), container)
    which, _, resource = reference["resource"].partition(".")
    given = (named.get("resources") or {}).get(which) or {}
    value = given.get(resource) or (allocatable.get(resource, "0") if which == "limits" else "0")
    divisor = quantities.parse(str(reference.get("divisor") or "1")) or 1
    return str(int((quantities.parse(str(value)) / divisor).to_integral_value(ROUND_CEILING)))
