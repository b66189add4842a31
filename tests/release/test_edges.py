"""The official chart's sharp edges are kept: they are what people have to find."""

import base64
from typing import Any

import pytest

BLOB = ("config.blobStorage.enabled=true", "config.blobStorage.bucketName=traces")


def test_se_01_the_frontend_has_a_load_balancer_of_its_own(default: Any, render: Any) -> None:
    """SE-01: unless told otherwise the frontend's Service is of type LoadBalancer."""
    told = render("frontend.service.type=ClusterIP")
    assert default.get("Service", "langsmith-frontend")["spec"]["type"] == "LoadBalancer"
    assert told.get("Service", "langsmith-frontend")["spec"]["type"] == "ClusterIP"


def test_se_08_the_rule_carries_the_host_name(render: Any) -> None:
    """SE-08: a host name with a scheme is a rule for the bare host."""
    release = render("ingress.enabled=true", "config.hostname=https://other.example.com")
    assert release.get("Ingress", "langsmith-ingress")["spec"]["rules"][0]["host"] == "other.example.com"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("a.example.com", "https://a.example.com"),
        ("http://a.example.com", "http://a.example.com"),
        ("localhost:8080", "http://localhost:8080"),
    ],
)
def test_se_09_a_bare_host_is_https(render: Any, host: str, url: str) -> None:
    """SE-09: without a scheme https is assumed, but for this machine."""
    assert render(f"config.hostname={host}").get("ConfigMap", "langsmith-config")["data"]["LANGSMITH_HOST_URL"] == url


def test_se_24_limits_are_read_from_the_stateful_set(render: Any) -> None:
    """SE-24: a profile that halves ClickHouse shows in its limits."""
    limits = "clickhouse.statefulSet.resources.limits"
    release = render(f"{limits}.cpu=4", f"{limits}.memory=16Gi")
    assert release.container("StatefulSet", "langsmith-clickhouse")["resources"]["limits"] == {
        "cpu": 4,
        "memory": "16Gi",
    }


def test_se_28_the_password_is_password(default: Any, render: Any) -> None:
    """SE-28: ClickHouse in the cluster has a known password; an existing Secret is honoured in the cluster, too."""
    data = default.get("Secret", "langsmith-clickhouse")["data"]
    mended = render("clickhouse.external.existingSecretName=mine")
    assert base64.b64decode(data["clickhouse_password"]) == b"password"
    assert "langsmith-clickhouse" not in mended.names("Secret")
    for kind, name in (("StatefulSet", "langsmith-clickhouse"), ("Deployment", "langsmith-backend")):
        assert mended.environment(kind, name)["CLICKHOUSE_PASSWORD"] == ("mine", "clickhouse_password", False)


def test_se_29_all_seven_keys_are_demanded(render: Any) -> None:
    """SE-29: each of the seven keys of an existing Secret is referenced, none as optional."""
    found = render("clickhouse.external.existingSecretName=mine").environment("Deployment", "langsmith-ingest-queue")
    keys = ("host", "port", "native_port", "user", "password", "db", "tls")
    demanded = {value for value in found.values() if value[:1] == ("mine",)}
    assert demanded == {("mine", f"clickhouse_{key}", False) for key in keys}


def test_se_46_the_address_is_another_regions(render: Any) -> None:
    """SE-46: the default S3 address is that of us-west-2."""
    found = render(*BLOB).environment("Deployment", "langsmith-queue")
    assert (found["FF_BLOB_STORAGE_ENABLED"], found["S3_BUCKET_NAME"]) == ("true", "traces")
    assert (found["S3_API_URL"], found["MIN_BLOB_STORAGE_SIZE_KB"]) == ("https://s3.us-west-2.amazonaws.com", "20")


def test_se_47_the_other_spelling_is_ignored(render: Any) -> None:
    """SE-47: apiUrl changes nothing and is not complained about; apiURL counts."""
    ignored = render(*BLOB, "config.blobStorage.apiUrl=https://s3.us-east-1.amazonaws.com")
    counts = render(*BLOB, "config.blobStorage.apiURL=https://s3.us-east-1.amazonaws.com")
    urls = [each.environment("Deployment", "langsmith-queue")["S3_API_URL"] for each in (ignored, counts)]
    assert urls == ["https://s3.us-west-2.amazonaws.com", "https://s3.us-east-1.amazonaws.com"]


def test_se_53_two_keys_are_demanded_of_a_secret_that_lacks_them(render: Any) -> None:
    """SE-53: with an existing Secret the encryption keys are demanded by every data pod until both are off."""
    on = render("config.existingSecretName=mine").environment("Deployment", "langsmith-backend")
    off = render("config.existingSecretName=mine", "insights.enabled=false", "polly.enabled=false")
    assert on["CLIO_ENCRYPTION_KEY"] == ("mine", "insights_encryption_key", False)
    assert on["POLLY_ENCRYPTION_KEY"] == ("mine", "polly_encryption_key", False)
    assert not {"CLIO_ENCRYPTION_KEY", "POLLY_ENCRYPTION_KEY"} & set(off.environment("Deployment", "langsmith-backend"))


def test_se_61_static_keys_arrive_by_reference_and_may_lack(render: Any) -> None:
    """SE-61: without keys the reference is optional, so that the pods' role is used."""
    found = render(*BLOB).environment("Deployment", "langsmith-backend")
    assert found["S3_ACCESS_KEY"] == ("langsmith-secrets", "blob_storage_access_key", True)
    assert found["S3_ACCESS_KEY_SECRET"] == ("langsmith-secrets", "blob_storage_access_key_secret", True)
