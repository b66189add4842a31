"""Services, ingresses and network policies.

Source: ValidateService in pkg/apis/core/validation and pkg/apis/networking/validation of Kubernetes.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.schema import words
from hallmark.twin.cluster.schema.rules import names, pods
from hallmark.twin.cluster.schema.values import Json, dig


def service(obj: Json, old: Json | None) -> Iterator[str]:
    """A service; its address stays, unless it gives it up."""
    spec = obj.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or ()
    headless = spec.get("clusterIP") == "None"
    if kind == "ExternalName":
        if not spec.get("externalName"):
            yield words.required("spec.externalName")
        else:
            yield from _invalid("spec.externalName", spec["externalName"].rstrip("."), names.dns_subdomain)
    elif not ports and not headless:
        yield words.required("spec.ports")
    if kind == "LoadBalancer" and headless:
        yield words.invalid("spec.clusterIPs[0]", "None", 'may not be set to "None" for LoadBalancer services')
    yield from _service_ports(ports)
    yield from names.labels(spec.get("selector"), "spec.selector")
    for i, each in enumerate(spec.get("externalIPs") or ()):
        yield from _address(each, f"spec.externalIPs[{i}]")
    if old is not None:
        yield from _address_stays(spec, old.get("spec") or {})


def _service_ports(ports: Any) -> Iterator[str]:
    seen_names: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for i, each in enumerate(ports):
        path, name, number = f"spec.ports[{i}]", each.get("name"), each.get("port")
        if name:
            yield from _invalid(f"{path}.name", name, names.dns_label)
            if name in seen_names:
                yield words.duplicate(f"{path}.name", name)
            seen_names.add(name)
        elif len(ports) > 1:
            yield words.required(f"{path}.name")
        if not number:
            yield words.invalid(f"{path}.port", number or 0, f"must be between 1 and {pods.LAST_PORT}, inclusive")
        yield from pods.port(number, f"{path}.port")
        yield from pods.port(each.get("targetPort"), f"{path}.targetPort")
        key = (each.get("protocol", "TCP"), number)
        if key in seen:
            yield words.duplicate(path, {"port": number, "protocol": key[0]})
        seen.add(key)


def _address_stays(spec: Json, before: Json) -> Iterator[str]:
    if spec.get("type") == "ExternalName" or before.get("type") == "ExternalName":
        return
    mine, theirs = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if theirs and mine[:1] != theirs[:1]:
        yield words.invalid("spec.clusterIPs[0]", mine, "may not change once set")


def _address(text: str, path: str) -> Iterator[str]:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        yield words.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def ingress(obj: Json, _: Json | None) -> Iterator[str]:
    """An ingress."""
    spec = obj.get("spec") or {}
    rules, default = spec.get("rules"), spec.get("defaultBackend")
    if not rules and default is None:
        yield words.invalid("spec", rules, "either `defaultBackend` or `rules` must be specified")
    if default is not None:
        yield from _backend(default, "spec.defaultBackend")
    for i, rule in enumerate(rules or ()):
        yield from _rule(rule, f"spec.rules[{i}]")
    for i, each in enumerate(spec.get("tls") or ()):
        for j, host in enumerate(each.get("hosts") or ()):
            yield from _host(host, f"spec.tls[{i}].hosts[{j}]")
    if spec.get("ingressClassName"):
        yield from _invalid("spec.ingressClassName", spec["ingressClassName"], names.dns_subdomain)


def _rule(rule: Json, path: str) -> Iterator[str]:
    if rule.get("host"):
        yield from _host(rule["host"], f"{path}.host")
    for i, each in enumerate(dig(rule, "http", "paths") or ()):
        place, kind, route = f"{path}.http.paths[{i}]", each.get("pathType"), each.get("path", "")
        if not route.startswith("/") and (route or kind in ("Exact", "Prefix")):
            yield words.invalid(f"{place}.path", route, "must be an absolute path")
        yield from _backend(each.get("backend") or {}, f"{place}.backend")


def _host(host: str, path: str) -> Iterator[str]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        yield from _invalid(path, host, names.wildcard if "*" in host else names.dns_subdomain)
    else:
        yield words.invalid(path, host, "must be a DNS name, not an IP address")


def _backend(backend: Json, path: str) -> Iterator[str]:
    found = backend.get("service")
    if backend.get("resource"):
        if found:
            yield words.invalid(path, "", "cannot set both resource and service backends")
        return
    if not found:
        yield words.required(path, "must specify a service or a resource backend")
        return
    if found.get("name"):
        yield from _invalid(f"{path}.service.name", found["name"], names.dns_1035_label)
    given = found.get("port") or {}
    if given.get("name") and given.get("number"):
        yield words.invalid(path, "", "cannot set both port name & port number")
    elif not given.get("name") and not given.get("number"):
        yield words.required(path, "port name or number is required")
    else:
        field = "name" if given.get("name") else "number"
        yield from pods.port(given[field], f"{path}.service.port.{field}")


def network_policy(obj: Json, _: Json | None) -> Iterator[str]:
    """A network policy."""
    spec = obj.get("spec") or {}
    yield from names.selector(spec.get("podSelector"), "spec.podSelector")
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(direction) or ()):
            for j, peer in enumerate(rule.get(peers) or ()):
                yield from _peer(peer, f"spec.{direction}[{i}].{peers}[{j}]")


def _peer(peer: Json, path: str) -> Iterator[str]:
    if not peer:
        yield words.required(path, "must specify a peer")
    block = peer.get("ipBlock")
    if block is None:
        return
    if len(peer) > 1:
        why = "may not specify both ipBlock and another peer"
        yield words.forbidden(path, why)
    try:
        ipaddress.ip_network(block.get("cidr", ""))
    except ValueError:
        why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
        yield words.invalid(f"{path}.ipBlock.cidr", block.get("cidr", ""), why)


def _invalid(path: str, value: str, test: Any) -> Iterator[str]:
    yield from (words.invalid(path, value, why) for why in test(value))
