"""The solution's values and manifests: they fit the chart, and say what the reference architecture asks for."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hallmark.errors import UsageError
from hallmark.twin.release.helm import Helm, Values
from hallmark.twin.release.locate import offline
from hallmark.twin.release.values import PLACEHOLDER, render

OUTPUTS = {
    "host": "langsmith.hallmark.example",
    "region": "us-east-1",
    "bucket_name": "hallmark-twin-traces",
    "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
    "web_acl_arn": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b",
    "alb_security_group_id": "sg-0123",
    "application_role_arn": "arn:aws:iam::123456789012:role/hallmark-twin-eks-langsmith",
    "secret_prefix": "hallmark-twin/",
}
ALB = "alb.ingress.kubernetes.io/"


@pytest.fixture(scope="session")
def folder(root: Path) -> Path:
    """The solution's files."""
    return root / "solutions" / "deploy-langsmith" / "files"


@pytest.fixture(scope="session")
def values(folder: Path) -> str:
    """The values, filled in."""
    return render((folder / "values.template.yaml").read_text(), OUTPUTS)


@pytest.fixture(scope="session")
def objects(values: str, kept: Helm) -> dict[tuple[str, str], Any]:
    """What the chart makes of them."""
    manifest = kept.template("langsmith", offline(), Values((values,)))
    found = [each for each in yaml.load_all(manifest, yaml.CSafeLoader) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


@pytest.fixture(scope="session")
def manifests(folder: Path) -> dict[tuple[str, str], Any]:
    """The manifests that come before the chart, filled in."""
    texts = [render(file.read_text(), OUTPUTS) for file in sorted((folder / "manifests").glob("*.yaml"))]
    found = [each for text in texts for each in yaml.safe_load_all(text)]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def test_every_placeholder_is_an_output_of_terraform(folder: Path, root: Path) -> None:
    """What the files ask for, Terraform's baseline gives."""
    known = set(re.findall(r'output "([a-z_]+)"', (root / "terraform" / "baseline" / "outputs.tf").read_text()))
    asked = {name for file in folder.rglob("*.yaml") for name in PLACEHOLDER.findall(file.read_text())}
    assert asked == set(OUTPUTS)
    assert asked <= known


def test_the_chart_has_nothing_against_the_values(values: str, kept: Helm) -> None:
    """Lint finds no warning and no error."""
    assert {each.severity for each in kept.lint(offline(), Values((values,)))} == {"INFO"}


def test_every_key_is_one_of_the_charts(values: str, kept: Helm) -> None:
    """A key that the chart does not know would be silently ignored."""
    defaults = yaml.safe_load(kept.show(offline())[1])
    open_ended = {"annotations", "nodeSelector", "tolerations"}

    def unknown(given: Any, known: Any, path: str) -> list[str]:
        if not isinstance(given, dict) or path.rpartition(".")[2] in open_ended:
            return []
        missing = [f"{path}.{key}" for key in given if key not in known and key not in open_ended]
        return missing + [
            each for key in given if key in known for each in unknown(given[key], known[key], f"{path}.{key}")
        ]

    assert unknown(yaml.safe_load(values), defaults, "") == []


def test_what_runs(objects: dict[tuple[str, str], Any]) -> None:
    """The seven application workloads and ClickHouse; no agent products, no Secrets of the chart, no load balancer."""
    deployments = {name for kind, name in objects if kind == "Deployment"}
    parts = ("frontend", "backend", "platform-backend", "queue", "ingest-queue", "playground", "ace-backend")
    assert deployments == {f"langsmith-{part}" for part in parts}
    assert {name for kind, name in objects if kind == "StatefulSet"} == {"langsmith-clickhouse"}
    assert {name for kind, name in objects if kind == "Secret"} == set()
    assert {each["spec"]["type"] for (kind, _), each in objects.items() if kind == "Service"} == {"ClusterIP"}


def test_every_secret_the_pods_need_is_made_by_external_secrets(
    objects: dict[tuple[str, str], Any], manifests: dict[tuple[str, str], Any]
) -> None:
    """Every mandatory reference of every container is a key of an ExternalSecret."""
    made = {
        (each["spec"]["target"]["name"], key)
        for (kind, _), each in manifests.items()
        if kind == "ExternalSecret"
        for key in _keys(each["spec"])
    }
    assert {each for workload in objects.values() for each in _needed(workload)} <= made


def _keys(spec: dict[str, Any]) -> list[str]:
    template = spec["target"].get("template", {}).get("data")
    return list(template) if template else [each["secretKey"] for each in spec["data"]]


def _needed(workload: dict[str, Any]) -> list[tuple[str, str]]:
    spec = workload.get("spec", {}).get("template", {}).get("spec", {})
    variables = [each for container in spec.get("containers", []) for each in container.get("env", [])]
    references = [each["valueFrom"]["secretKeyRef"] for each in variables if "valueFrom" in each]
    return [(each["name"], each["key"]) for each in references if not each["optional"]]


def test_the_secrets_are_those_terraform_makes(manifests: dict[tuple[str, str], Any], root: Path) -> None:
    """Each remote name is one of the secrets of Terraform's modules."""
    texts = [file.read_text() for file in (root / "terraform" / "modules").rglob("*.tf")]
    remote = {
        each["remoteRef"]["key"]
        for (kind, _), found in manifests.items()
        if kind == "ExternalSecret"
        for each in found["spec"]["data"]
    }
    names = {each.removeprefix("hallmark-twin/") for each in remote}
    assert {name for name in names if not any(name in text for text in texts)} == set()
    assert len(names) == 7


def test_clickhouse_is_sized_and_placed(
    objects: dict[tuple[str, str], Any], manifests: dict[tuple[str, str], Any], root: Path
) -> None:
    """8 vCPU and 32 GiB, on the node group made for it, on a volume of the class that has its speed."""
    spec = objects["StatefulSet", "langsmith-clickhouse"]["spec"]
    pod = spec["template"]["spec"]
    claim = spec["volumeClaimTemplates"][0]["spec"]
    nodes = (root / "terraform" / "modules" / "cluster" / "nodes.tf").read_text()
    assert pod["containers"][0]["resources"]["limits"] == {"cpu": "8000m", "memory": "32Gi"}
    assert pod["nodeSelector"] == {"hallmark/pool": "clickhouse"}
    assert [(each["key"], each["value"]) for each in pod["tolerations"]] == [("hallmark/pool", "clickhouse")]
    assert '"hallmark/pool"' in nodes
    assert (claim["storageClassName"], claim["resources"]["requests"]["storage"]) == ("langsmith-clickhouse", "50Gi")
    storage = manifests["StorageClass", "langsmith-clickhouse"]
    assert storage["parameters"] == {"type": "gp3", "iops": "7000", "throughput": "1000", "encrypted": "true"}
    assert (storage["volumeBindingMode"], storage["allowVolumeExpansion"]) == ("WaitForFirstConsumer", True)


def test_four_accounts_have_the_role(objects: dict[tuple[str, str], Any]) -> None:
    """Exactly the four workloads that use the bucket may take the role."""
    role = OUTPUTS["application_role_arn"]
    annotated = {
        name
        for (kind, name), each in objects.items()
        if kind == "ServiceAccount"
        and each["metadata"].get("annotations", {}).get("eks.amazonaws.com/role-arn") == role
    }
    assert annotated == {f"langsmith-{part}" for part in ("backend", "platform-backend", "queue", "ingest-queue")}


def test_the_ingress_is_the_one_way_in(objects: dict[tuple[str, str], Any]) -> None:
    """TLS with a new policy, firewall, security group, health check and time-outs, all by annotation."""
    ingress = objects["Ingress", "langsmith-ingress"]
    annotations = ingress["metadata"]["annotations"]
    assert ingress["spec"]["ingressClassName"] == "alb"
    assert ingress["spec"]["rules"][0]["host"] == OUTPUTS["host"]
    assert {name.removeprefix(ALB): value for name, value in annotations.items() if name.startswith(ALB)} == {
        "group.name": "langsmith",
        "scheme": "internet-facing",
        "target-type": "ip",
        "listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "ssl-redirect": "443",
        "ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificate-arn": OUTPUTS["certificate_arn"],
        "wafv2-acl-arn": OUTPUTS["web_acl_arn"],
        "security-groups": OUTPUTS["alb_security_group_id"],
        "healthcheck-path": "/health",
        "load-balancer-attributes": (
            "idle_timeout.timeout_seconds=300,routing.http.drop_invalid_header_fields.enabled=true"
        ),
    }


def test_payloads_go_to_the_bucket_without_keys(objects: dict[tuple[str, str], Any]) -> None:
    """The bucket and its own region; no static key anywhere."""
    container = objects["Deployment", "langsmith-backend"]["spec"]["template"]["spec"]["containers"][0]
    found = {each["name"]: each.get("value") for each in container["env"]}
    assert (found["S3_BUCKET_NAME"], found["S3_API_URL"]) == (
        OUTPUTS["bucket_name"],
        "https://s3.us-east-1.amazonaws.com",
    )
    assert "accessKey" not in str(container)


def test_outputs_come_as_terraform_prints_them() -> None:
    """Values of terraform output -json are unwrapped; what is no placeholder stays."""
    outputs = {"region": {"value": "us-east-1", "type": "string", "sensitive": False}}
    assert render("a: ${region} # ${…} $host", outputs) == "a: us-east-1 # ${…} $host"


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({}, "no output region"),
        ({"region": {"value": "x", "sensitive": True}}, "region is sensitive"),
        ({"region": {"value": ["a"], "sensitive": False}}, "neither text nor a number"),
    ],
)
def test_outputs_that_cannot_be_put_in(outputs: dict[str, Any], words: str) -> None:
    """A missing, a sensitive and a structured output are refused by name."""
    with pytest.raises(UsageError, match=words):
        render("${region}", outputs)
