"""How the data files are made: from Go sources, definitions and discovery."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hallmark.twin.cluster.data import extract

Json = dict[str, Any]

TYPES = """
// Mode of a thing.
// +enum
type Mode string

const (
	// Fast is quick.
	Fast Mode = "Fast"
	None Mode = ""
	Slow Mode = "Slow"
)

type Thing struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
	Spec ThingSpec `json:"spec,omitempty" protobuf:"bytes,2,opt,name=spec"`
}

type ThingSpec struct {
	Source `json:",inline" protobuf:"bytes,1,opt,name=source"`
	// Mode is how.
	Mode Mode `json:"mode,omitempty" protobuf:"bytes,2,opt,name=mode,casttype=Mode"`
	Size *int32 `json:"size,omitempty" protobuf:"varint,3,opt,name=size"`
	Args []string `json:"args" protobuf:"bytes,4,rep,name=args"`
}

type Source struct {
	Path string `json:"path,omitempty" protobuf:"bytes,1,opt,name=path"`
}
"""
PROTO = """
package k8s.io.api.core.v1;

message Thing {
  // Standard metadata; it has = signs
  optional .k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta metadata = 1;
  optional ThingSpec spec = 2;
}

message ThingSpec {
  optional Source source = 1;
  optional string mode = 2;
  optional int32 size = 3;
  repeated string args = 4;
  map<string, bytes> data = 5;
}

message Source {
  optional string path = 1;
}
"""
NAME = "io.k8s.api.core.v1"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
KIND = {"group": "", "version": "v1", "kind": "Thing"}
TEXT = ["string", "null"]
DEFINITIONS: Json = {
    f"{NAME}.Thing": {
        "type": ["object", "null"],
        "properties": {
            "kind": {"type": TEXT, "enum": ["Thing"]},
            "metadata": {"$ref": f"#/$defs/{META}"},
            "spec": {"$ref": f"#/$defs/{NAME}.ThingSpec", "description": "How."},
        },
        "x-kubernetes-group-version-kind": [KIND],
    },
    f"{NAME}.ThingSpec": {
        "properties": {
            "mode": {"type": TEXT},
            "path": {"type": TEXT},
            "size": {"type": ["integer", "null"]},
            "args": {"type": ["array", "null"], "items": {"type": TEXT}},
        }
    },
    META: {"properties": {}},
    f"{NAME}.Other": {"x-kubernetes-group-version-kind": [{**KIND, "kind": "Other"}]},
}
COMMON = {"namespaced": True, "verbs": ["get"], "shortNames": ["th"]}
DISCOVERY = [
    {
        "groupVersion": "v1",
        "resources": [
            {"name": "things", "singularName": "thing", "kind": "Thing", **COMMON},
            {"name": "things/scale", "singularName": "", "kind": "Scale", **COMMON},
            {"name": "componentstatuses", "singularName": "", "kind": "ComponentStatus", **COMMON},
        ],
    },
    {"groupVersion": "gateway.networking.k8s.io/v1", "resources": []},
]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The files that come out of small sources."""
    monkeypatch.setattr(extract, "HERE", tmp_path)
    go = tmp_path / "go"
    go.mkdir()
    (go / "types.go").write_text(TYPES)
    (go / "generated.proto").write_text(PROTO)
    schemas, discovery = tmp_path / extract.DEFINITIONS, tmp_path / extract.DISCOVERY
    for file in (schemas, discovery):
        file.parent.mkdir(parents=True)
    schemas.write_text(json.dumps({"$defs": DEFINITIONS}))
    discovery.write_bytes(gzip.compress(json.dumps(DISCOVERY).encode()))
    options = ["--schemas", str(tmp_path), "--protos", str(go), "--discovery", str(tmp_path)]
    extract.main(options)
    names = ("definitions", "messages", "discovery")
    return {name: json.loads(gzip.decompress((tmp_path / f"{name}.json.gz").read_bytes())) for name in names}


def test_definitions(made: dict[str, Any]) -> None:
    """Only what is served is kept; nulls are undone, Go's part is added, inlined structs included."""
    assert made["definitions"] == {
        "api.core.v1.Thing": {
            "type": "object",
            "properties": {
                "kind": {"type": "string"},
                "metadata": {"$ref": "apimachinery.pkg.apis.meta.v1.ObjectMeta", "x-zero": "keep"},
                "spec": {"$ref": "api.core.v1.ThingSpec", "description": "How.", "x-zero": "keep"},
            },
            "x-kubernetes-group-version-kind": [KIND],
        },
        "api.core.v1.ThingSpec": {
            "properties": {
                "mode": {"type": "string", "enum": ["Fast", "Slow"], "x-go": "v1.Mode", "x-zero": "drop"},
                "path": {"type": "string", "x-zero": "drop"},
                "size": {"type": "integer"},
                "args": {"type": "array", "items": {"type": "string"}},
            }
        },
        "apimachinery.pkg.apis.meta.v1.ObjectMeta": {"properties": {}},
    }


def test_messages(made: dict[str, Any]) -> None:
    """A field has the name of its JSON, none when it is inlined, and its shape."""
    assert made["messages"]["api.core.v1.ThingSpec"] == {
        "1": ["", "api.core.v1.Source", "one", "keep"],
        "2": ["mode", "string", "one", "drop"],
        "3": ["size", "int32", "one", ""],
        "4": ["args", "string", "many", ""],
        "5": ["data", "bytes", "map", ""],
    }
    assert made["messages"]["api.core.v1.Thing"]["1"][1] == "apimachinery.pkg.apis.meta.v1.ObjectMeta"


def test_discovery(made: dict[str, Any]) -> None:
    """Subresources are below their resource and in their own group; short names are the resource's alone."""
    assert made["discovery"] == [
        {
            "group": "",
            "version": "v1",
            "resource": "things",
            "singular": "thing",
            "kind": "Thing",
            "namespaced": True,
            "verbs": ["get"],
            "shortNames": ["th"],
            "categories": [],
            "subresources": [
                {"name": "scale", "kind": "Scale", "group": "autoscaling", "version": "v1", "verbs": ["get"]}
            ],
        }
    ]


def test_the_same_input_makes_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has no time of its own inside."""
    monkeypatch.setattr(extract, "HERE", tmp_path)
    extract._save("x", {"b": 1, "a": [2]})
    raw = (tmp_path / "x.json.gz").read_bytes()
    assert raw[4:8] == bytes(4)
    assert json.loads(gzip.decompress(raw)) == {"a": [2], "b": 1}
