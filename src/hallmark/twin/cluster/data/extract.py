"""Make the three data files of this folder from published packages; run by hand, see README.md."""

import argparse
import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DEFINITIONS = "kubernetes_validate/kubernetes-json-schema/v1.35.0-local/_definitions.json"
DISCOVERY = "kmock/_internal/resources.json.gz"
NOT_SERVED = re.compile(r"^(gateway\.networking|flowcontrol\.apiserver|metrics)\.k8s\.io/")
SUBRESOURCE_GROUPS = {
    "Scale": ("autoscaling", "v1"),
    "Eviction": ("policy", "v1"),
    "TokenRequest": ("authentication.k8s.io", "v1"),
}
"""Kinds of subresources that live in another group than their resource."""
ALWAYS = re.compile(r"\.(?:DeleteOptions|Patch|Status|WatchEvent|APIGroup|APIGroupList|APIResourceList|APIVersions)$")
"""Definitions that belong to every group."""

_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"^\t(?:\w+[ \t]+)?([\w.*\[\]]+)[ \t]+`(json:.*)`", re.MULTILINE)
_ENUM = re.compile(r"^// \+enum\n(?://.*\n)*type (\w+) string", re.MULTILINE)
_CONSTANT = re.compile(r'^\t\w+[ \t]+(\w+)[ \t]*=[ \t]*"([^"]*)"', re.MULTILINE)
_MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"(?:(optional|repeated|required) ([\w.]+)|map<(\w+), ([\w.]+)>) (\w+) = (\d+);")

Json = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write definitions.json.gz, messages.json.gz and discovery.json.gz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schemas", type=Path, required=True, help="kubernetes-validate: wheel or folder")
    parser.add_argument("--protos", type=Path, required=True, help="folder with Go sources and .proto files")
    parser.add_argument("--discovery", type=Path, required=True, help="kmock: wheel or folder")
    given = parser.parse_args(arguments)
    go = _Go(given.protos)
    resources = _discovery(json.loads(gzip.decompress(_member(given.discovery, DISCOVERY))))
    definitions = json.loads(_member(given.schemas, DEFINITIONS))["$defs"]
    _save("discovery", resources)
    _save("definitions", _definitions(definitions, resources, go))
    _save("messages", go.messages())


def _member(package: Path, name: str) -> bytes:
    """One file of a wheel, or of the folder it was unpacked to."""
    if package.is_dir():
        return (package / name).read_bytes()
    with zipfile.ZipFile(package) as wheel:
        return wheel.read(name)


def _save(name: str, content: Any) -> None:
    raw = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, packed, mtime=0) as file:  # no name, no time: the same input, the same bytes
        file.write(raw)
    (HERE / f"{name}.json.gz").write_bytes(packed.getvalue())
    sys.stdout.write(f"{name}: {len(raw)} bytes, {len(packed.getvalue())} packed\n")


# Discovery


def _discovery(lists: list[Json]) -> list[Json]:
    """One record per resource, its subresources inside, from a list of APIResourceLists."""
    return [resource for each in lists if not NOT_SERVED.search(each["groupVersion"]) for resource in _resources(each)]


def _resources(group_version: Json) -> Iterator[Json]:
    group, _, version = group_version["groupVersion"].rpartition("/")
    everything = group_version["resources"]
    for raw in everything:
        if "/" in raw["name"] or raw["name"] == "componentstatuses":
            continue
        children = [each for each in everything if each["name"].startswith(f"{raw['name']}/")]
        yield {
            "group": group,
            "version": version,
            "resource": raw["name"],
            "singular": raw["singularName"],
            "kind": raw["kind"],
            "namespaced": raw["namespaced"],
            "verbs": raw["verbs"],
            "shortNames": raw.get("shortNames", []),
            "categories": raw.get("categories", []),
            "subresources": [_subresource(each, group, version) for each in children],
        }


def _subresource(raw: Json, group: str, version: str) -> Json:
    group, version = SUBRESOURCE_GROUPS.get(raw["kind"], (group, version))
    name = raw["name"].partition("/")[2]
    return {"name": name, "kind": raw["kind"], "group": group, "version": version, "verbs": raw["verbs"]}


# Definitions


def _definitions(raw: Json, resources: list[Json], go: "_Go") -> Json:
    """Definitions that a served resource reaches, in OpenAPI's own shape and with what only Go's types tell."""
    kinds = {(each["group"], each["version"], each["kind"]) for each in resources}
    kinds |= {(sub["group"], sub["version"], sub["kind"]) for each in resources for sub in each["subresources"]}
    kinds |= {(group, version, f"{kind}List") for group, version, kind in kinds}
    todo = [name for name, body in raw.items() if _names(body) & kinds or ALWAYS.search(name)]
    kept: Json = {}
    while todo:
        name = todo.pop()
        if name not in kept:
            kept[name] = go.enrich(short(name), _plain(raw[name]))
            todo += _references(raw[name])
    return {short(name): body for name, body in kept.items()}


def short(name: str) -> str:
    """``io.k8s.api.core.v1.Pod`` or ``k8s.io.api.core.v1.Pod`` without what all have in common."""
    return re.sub(r"^\.?(io\.k8s|k8s\.io)\.", "", name)


def _names(body: Json) -> set[tuple[str, str, str]]:
    return {(e["group"], e["version"], e["kind"]) for e in body.get("x-kubernetes-group-version-kind", [])}


def _references(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [name for each in raw for name in _references(each)]
    if not isinstance(raw, dict):
        return []
    own = [raw["$ref"].removeprefix("#/$defs/")] if isinstance(raw.get("$ref"), str) else []
    return own + [name for each in raw.values() for name in _references(each)]


def _plain(raw: Any) -> Any:
    """Undo what the package adds for other validators: types that may be null, and kinds as enumerations."""
    if not isinstance(raw, dict):
        return raw
    plain: Json = {}
    for key, value in raw.items():
        if key == "properties":
            plain[key] = {name: _plain(each) for name, each in value.items()}
        elif key == "type" and isinstance(value, list):
            plain[key] = next(each for each in value if each != "null")
        elif key == "$ref":
            plain[key] = short(value.removeprefix("#/$defs/"))
        elif key == "oneOf":
            plain[key] = [_plain(each) for each in value]
        elif key != "enum":
            plain[key] = _plain(value)
    return plain


# Go


class _Go:
    """What the Go types of the API tell: protobuf numbers, inlined structs, zero values, enumerations.

    Args:
        root: Sources of k8s.io/api and k8s.io/apimachinery; each package has types.go and generated.proto.
    """

    def __init__(self, root: Path) -> None:
        self._members: dict[str, list[tuple[str, str]]] = {}
        self._enums: dict[str, list[str]] = {}
        self._protos: dict[str, Iterable[re.Match[str]]] = {}
        for proto in sorted(root.rglob("generated.proto")):
            text = re.sub(r"//[^\n]*", "", proto.read_text())
            package = short(re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1])  # type: ignore[index]  # always there
            self._protos |= {f"{package}.{m[1]}": list(_FIELD.finditer(m[2])) for m in _MESSAGE.finditer(text)}
            for source in proto.parent.glob("*.go"):
                self._read(package, source.read_text())

    def _read(self, package: str, source: str) -> None:
        for struct in _STRUCT.finditer(source):
            self._members[f"{package}.{struct[1]}"] = [(m[1], m[2]) for m in _MEMBER.finditer(struct[2])]
        constants = _CONSTANT.findall(source)
        for name in _ENUM.findall(source):
            self._enums[f"{package}.{name}"] = sorted({value for kind, value in constants if kind == name and value})

    def messages(self) -> Json:
        """Message to field number to name, type, shape (one, many, map) and what happens to a zero."""
        return {
            name: self._message(name) for name in sorted(self._protos) if not re.search(r"\.v\d+(alpha|beta)", name)
        }

    def _message(self, name: str) -> Json:
        package = name.rpartition(".")[0]
        tags = {_number(tag): (kind, tag) for kind, tag in self._members.get(name, [])}
        fields: Json = {}
        for found in self._protos[name]:
            rule, kind, key, value, label, number = found.groups()
            go_kind, tag = tags.get(number, ("*", f'json:"{label},omitempty"'))
            shape = "map" if key else "many" if rule == "repeated" else "one"
            kind = self._full(package, kind or value)
            zero = _zero(go_kind, tag, "struct" if "." in kind else "many")
            fields[number] = [_json_name(tag, label), kind, shape, zero]
        return fields

    def _full(self, package: str, kind: str) -> str:
        return f"{package}.{kind}" if kind[0].isupper() else short(kind)

    def enrich(self, name: str, body: Json) -> Json:
        """Add Go's part to one definition: ``x-zero`` and ``enum`` of its properties."""
        package = name.rpartition(".")[0]
        for kind, tag in self._all_members(name):
            prop = body.get("properties", {}).get(_json_name(tag, ""))
            if prop is None:
                continue
            if zero := _zero(kind, tag, _shape(prop)):
                prop["x-zero"] = zero
            bare = kind.strip("*[]")
            if values := self._enums.get(f"{package}.{bare}"):
                (prop["items"] if kind.startswith("[]") else prop)["enum"] = values
            if bare[0].isupper() and prop.get("type") == "string":
                prop["x-go"] = f"{package.rpartition('.')[2]}.{bare}"
        return body

    def _all_members(self, name: str) -> Iterator[tuple[str, str]]:
        for kind, tag in self._members.get(name, []):
            if ",inline" in tag:
                yield from self._all_members(f"{name.rpartition('.')[0]}.{kind}")
            else:
                yield kind, tag


def _number(tag: str) -> str:
    found = re.search(r'protobuf:"\w+,(\d+)', tag)
    return found[1] if found else ""


def _json_name(tag: str, default: str) -> str:
    name = re.match(r'json:"([^",]*)', tag)
    if ",inline" in tag:
        return ""
    return name[1] if name and name[1] else default


def _zero(kind: str, tag: str, shape: str) -> str:
    """``drop``: a zero value is not encoded. ``keep``: it is encoded even when nobody set it."""
    if kind.startswith("*"):
        return ""
    if shape == "struct":
        return "" if kind.startswith(("[]", "map")) or "Time" in kind else "keep"
    if "omitempty" in tag:
        return "drop"
    return "keep" if shape == "scalar" and not kind.startswith("[]") else ""


def _shape(prop: Json) -> str:
    if prop.get("type") in ("string", "integer", "number", "boolean"):
        return "scalar"
    return "many" if prop.get("type") == "array" or "additionalProperties" in prop else "struct"


if __name__ == "__main__":
    main()
