"""The offline chart has the interface of the official one: names, ports, probes, sizes, labels, Secrets, hooks."""

import base64
from collections import Counter
from typing import Any

import pytest

APPLICATIONS = {
    # name: image, port, replicas, requests, limits, the three probes, their limits
    "frontend": ("langsmith-frontend", 8080, 1, "500m/1Gi", "1000m/2Gi", "/health", (10, 10, 1)),
    "backend": ("langsmith-backend", 1984, 2, "1000m/2Gi", "2000m/4Gi", "/health", (6, 10, 10)),
    "platform-backend": ("langsmith-backend", 1986, 3, "1000m/2Gi", "2000m/4Gi", "/ok", (6, 10, 1)),
    "queue": ("langsmith-backend", 8080, 1, "1000m/2Gi", "2000m/4Gi", "/health", (6, 10, 10)),
    "ingest-queue": ("langsmith-backend", 1989, 3, "1000m/2Gi", "2000m/4Gi", "/health", (6, 10, 1)),
    "playground": ("langsmith-backend", 1988, 1, "500m/1Gi", "1000m/8Gi", "/ok", (6, 10, 1)),
    "ace-backend": ("langsmith-ace-backend", 1987, 1, "1/2000Mi", "2/4000Mi", "/ok", (6, 10, 1)),
}
DATA = ("backend", "platform-backend", "queue", "ingest-queue")
STATEFUL = {
    "clickhouse": ("clickhouse/clickhouse-server:25.12", [8123, 9000, 9363], "3500m/12Gi", "8000m/32Gi", "50Gi"),
    "postgres": ("postgres:14.7", [5432], "2000m/8Gi", "4000m/16Gi", "8Gi"),
    "redis": ("redis:7", [6379], "2000m/4Gi", "4000m/8Gi", "8Gi"),
}
AGENTS = ("standalone-insights", "standalone-polly")
JOBS = {
    # name: hooks, weight, attempts after the first, seconds it is kept
    "langsmith-backend-backfill-check": ("pre-upgrade", "-2", 0, 600),
    "langsmith-backend-migrations": ("post-install,pre-upgrade", "-1", None, 600),
    "langsmith-backend-ch-migrations": ("post-install,pre-upgrade", "-1", 2, 600),
    "langsmith-backend-auth-bootstrap": ("post-install,post-upgrade", "0", 0, 600),
    "langsmith-e2e-test": ("post-install,post-upgrade", "1", 5, 10),
}
EXISTING = ("config.existingSecretName=app", "postgres.external.enabled=true", "redis.external.enabled=true")


def _size(resources: dict[str, str]) -> str:
    return f"{resources['cpu']}/{resources['memory']}"


def test_the_defaults_make_as_many_objects_as_the_official_chart(default: Any) -> None:
    """The official chart makes the same 66 objects with basic auth and defaults."""
    assert Counter(each["kind"] for each in default.objects) == {
        "ServiceAccount": 18,
        "Service": 14,
        "Deployment": 11,
        "Secret": 8,
        "StatefulSet": 7,
        "Job": 5,
        "ConfigMap": 3,
    }


@pytest.mark.parametrize("name", APPLICATIONS)
def test_application(default: Any, name: str) -> None:
    """Each application workload has the official image, port, replicas, size, probes and account."""
    image, port, replicas, requests, limits, path, (failures, period, timeout) = APPLICATIONS[name]
    workload = default.get("Deployment", f"langsmith-{name}")
    container = default.container("Deployment", f"langsmith-{name}")
    pod = default.pod("Deployment", f"langsmith-{name}")["spec"]
    probe = {"failureThreshold": failures, "periodSeconds": period, "timeoutSeconds": timeout}
    assert workload["spec"]["replicas"] == replicas
    assert container["image"] == f"docker.io/langchain/{image}:0.16.45"
    assert [each["containerPort"] for each in container["ports"]] == [port]
    assert _size(container["resources"]["requests"]) == requests
    assert _size(container["resources"]["limits"]) == limits
    assert (
        container["startupProbe"] == container["readinessProbe"] == {"httpGet": {"path": path, "port": port}, **probe}
    )
    assert pod["serviceAccountName"] == f"langsmith-{name}"
    assert pod["terminationGracePeriodSeconds"] == 30


def test_only_the_queue_is_alive_by_its_own_check(default: Any) -> None:
    """The queue's liveness probe runs the worker's check once a minute; the others ask what readiness asks."""
    own = {
        name for name in APPLICATIONS if "exec" in default.container("Deployment", f"langsmith-{name}")["livenessProbe"]
    }
    probe = default.container("Deployment", "langsmith-queue")["livenessProbe"]
    assert own == {"queue"}
    assert (probe["exec"]["command"][0], probe["periodSeconds"], probe["timeoutSeconds"]) == ("saq", 60, 60)


@pytest.mark.parametrize("name", STATEFUL)
def test_store_in_the_cluster(default: Any, name: str) -> None:
    """ClickHouse, and PostgreSQL and Redis unless they are external, are one pod with one volume."""
    image, ports, requests, limits, size = STATEFUL[name]
    workload = default.get("StatefulSet", f"langsmith-{name}")["spec"]
    container = default.container("StatefulSet", f"langsmith-{name}")
    claim = workload["volumeClaimTemplates"][0]
    assert (workload["replicas"], container["image"]) == (1, f"docker.io/{image}")
    assert [each["containerPort"] for each in container["ports"]] == ports
    assert _size(container["resources"]["requests"]) == requests
    assert _size(container["resources"]["limits"]) == limits
    assert claim["metadata"]["name"] == "data"
    assert claim["spec"]["resources"]["requests"]["storage"] == size
    assert "storageClassName" not in claim["spec"]


def test_clickhouse_is_pulled_anew_and_asked_for_a_ping(default: Any) -> None:
    """Its tag moves, so the image is pulled at each start; its probes ask /ping on 8123."""
    container = default.container("StatefulSet", "langsmith-clickhouse")
    probe = {
        "httpGet": {"path": "/ping", "port": 8123},
        "failureThreshold": 6,
        "periodSeconds": 10,
        "timeoutSeconds": 1,
    }
    assert container["imagePullPolicy"] == "Always"
    assert container["readinessProbe"] == container["livenessProbe"] == probe


def test_external_stores_leave_no_pods(render: Any) -> None:
    """With external PostgreSQL and Redis, only ClickHouse has a StatefulSet."""
    release = render(*EXISTING, "insights.enabled=false", "polly.enabled=false")
    assert release.names("StatefulSet") == {"langsmith-clickhouse"}


def test_external_clickhouse_leaves_no_pod_and_no_service(render: Any) -> None:
    """With external.enabled, ClickHouse has neither StatefulSet nor Service."""
    release = render("clickhouse.external.enabled=true", "insights.enabled=false", "polly.enabled=false")
    assert "langsmith-clickhouse" not in release.names("StatefulSet") | release.names("Service")


def test_services(default: Any) -> None:
    """Services have the official ports; the workers have none."""
    ports = {
        name: [port["port"] for port in default.get("Service", name)["spec"]["ports"]]
        for name in default.names("Service")
    }
    agents = {f"langsmith-{agent}-{part}": [port] for agent in AGENTS for part, port in _AGENT_PORTS.items()}
    assert ports == agents | {
        "langsmith-frontend": [80, 443],
        "langsmith-backend": [1984],
        "langsmith-platform-backend": [1986],
        "langsmith-ace-backend": [1987],
        "langsmith-playground": [1988],
        "langsmith-clickhouse": [8123, 9000, 9363],
        "langsmith-postgres": [5432],
        "langsmith-redis": [6379],
    }


_AGENT_PORTS = {"api-server": 80, "postgres": 5432, "redis": 6379}


def test_every_service_leads_to_a_port_of_its_pods(default: Any) -> None:
    """A Service selects exactly one workload's pods, and its target ports are ports of theirs."""
    workloads = [each for each in default.objects if each["kind"] in {"Deployment", "StatefulSet", "Job"}]
    for name in default.names("Service"):
        service = default.get("Service", name)["spec"]
        pods = [each["spec"]["template"] for each in workloads]
        selected = [pod for pod in pods if service["selector"].items() <= pod["metadata"]["labels"].items()]
        named = [port["name"] for pod in selected for port in pod["spec"]["containers"][0]["ports"]]
        assert len(selected) == 1
        assert {port["targetPort"] for port in service["ports"]} <= set(named)


def test_the_component_is_a_label_of_pods_and_selectors_only(default: Any) -> None:
    """Workloads are found by name and instance, their pods by component."""
    key = "app.kubernetes.io/component"
    backend = default.get("Deployment", "langsmith-backend")
    assert all(key not in each["metadata"]["labels"] for each in default.objects)
    assert backend["metadata"]["labels"] == {
        "helm.sh/chart": "langsmith-0.16.11",
        "app.kubernetes.io/name": "langsmith",
        "app.kubernetes.io/instance": "langsmith",
        "app.kubernetes.io/version": "0.16.45",
        "app.kubernetes.io/managed-by": "Helm",
    }
    assert backend["spec"]["selector"]["matchLabels"][key] == "langsmith-backend"
    assert backend["spec"]["template"]["metadata"]["labels"][key] == "langsmith-backend"


@pytest.mark.parametrize(
    ("release", "sets", "name"),
    [
        ("eu", (), "eu-langsmith-backend"),
        ("langsmith-eu", (), "langsmith-eu-backend"),
        ("langsmith", ("fullnameOverride=ls",), "ls-backend"),
        ("langsmith", ("nameOverride=smith",), "langsmith-backend"),
    ],
)
def test_names_follow_the_release(render: Any, release: str, sets: tuple[str, ...], name: str) -> None:
    """A release that has the chart's name in its own is not named twice; overrides count."""
    assert name in render(*sets, name=release).names("Deployment")


def test_configuration_is_not_secret(default: Any) -> None:
    """ConfigMaps are langsmith-config, nginx's and ClickHouse's; the first says how people sign in and where."""
    assert default.names("ConfigMap") == {"langsmith-config", "langsmith-frontend", "langsmith-clickhouse"}
    data = default.get("ConfigMap", "langsmith-config")["data"]
    assert (data["AUTH_TYPE"], data["LANGSMITH_HOST_URL"]) == ("mixed", "https://langsmith.example.com")
    assert data["GO_ENDPOINT"] == "http://langsmith-platform-backend.langsmith.svc.cluster.local:1986"


def test_nginx_routes(default: Any) -> None:
    """Bodies above 25 MB are refused, upstreams wait 300 seconds, and /health is nginx's own."""
    nginx = default.get("ConfigMap", "langsmith-frontend")["data"]["nginx.conf"]
    assert "client_max_body_size 25M;" in nginx
    assert "proxy_read_timeout 300s;" in nginx
    assert "location = /health { return 200; }" in nginx
    assert "location / { try_files $uri /index.html; }" in nginx


@pytest.mark.parametrize("name", DATA)
def test_data_workloads_get_every_secret_by_reference(default: Any, name: str) -> None:
    """All four read the stores' and the application's Secrets, and no reference is optional."""
    found = default.environment("Deployment", f"langsmith-{name}")
    clickhouse = {
        "HOST": "host",
        "PORT": "port",
        "NATIVE_PORT": "native_port",
        "USER": "user",
        "DB": "db",
        "TLS": "tls",
    }
    expected = {
        "POSTGRES_DATABASE_URI": ("langsmith-postgres", "connection_url", False),
        "REDIS_DATABASE_URI": ("langsmith-redis", "connection_url", False),
        "CLICKHOUSE_PASSWORD": ("langsmith-clickhouse", "clickhouse_password", False),
        "LANGSMITH_LICENSE_KEY": ("langsmith-secrets", "langsmith_license_key", False),
        "API_KEY_SALT": ("langsmith-secrets", "api_key_salt", False),
        "X_SERVICE_AUTH_JWT_SECRET": ("langsmith-secrets", "api_key_salt", False),
        "BASIC_AUTH_JWT_SECRET": ("langsmith-secrets", "jwt_secret", False),
        "BASIC_AUTH_ENABLED": "true",
    }
    expected |= {
        f"CLICKHOUSE_{key}": ("langsmith-clickhouse", f"clickhouse_{name}", False) for key, name in clickhouse.items()
    }
    assert expected.items() <= found.items()


@pytest.mark.parametrize("name", sorted(set(APPLICATIONS) - set(DATA)))
def test_the_others_get_no_secret(default: Any, name: str) -> None:
    """Frontend, playground and ace-backend know their port, and no credentials."""
    port = str(APPLICATIONS[name][1])
    assert default.environment("Deployment", f"langsmith-{name}") == {"PORT": port}


def test_the_queue_limits_its_connections(default: Any) -> None:
    """The queue's pools are small, as in the official chart."""
    found = default.environment("Deployment", "langsmith-queue")
    assert (found["REDIS_MAX_CONNECTIONS"], found["ASYNCPG_POOL_MAX_SIZE"]) == ("250", "3")


def test_secrets_and_their_keys(default: Any) -> None:
    """The chart makes the official Secrets with the official keys."""
    keys = {
        name: set(default.get("Secret", name)["data"]) for name in default.names("Secret") if "standalone" not in name
    }
    assert keys == {
        "langsmith-secrets": {
            "langsmith_license_key",
            "api_key_salt",
            "jwt_secret",
            "initial_org_admin_password",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_issuer_url",
            "blob_storage_access_key",
            "blob_storage_access_key_secret",
            "insights_encryption_key",
            "polly_encryption_key",
        },
        "langsmith-postgres": {"connection_url", "postgres_user", "postgres_password", "postgres_db"},
        "langsmith-redis": {"connection_url"},
        "langsmith-clickhouse": {
            "clickhouse_host",
            "clickhouse_port",
            "clickhouse_native_port",
            "clickhouse_user",
            "clickhouse_password",
            "clickhouse_db",
            "clickhouse_tls",
        },
    }


def test_an_existing_secret_is_used_and_not_made(render: Any) -> None:
    """The name of an existing Secret takes the place of the chart's Secret in every reference."""
    release = render(*EXISTING, "postgres.external.existingSecretName=pg", "redis.external.existingSecretName=cache")
    found = release.environment("Deployment", "langsmith-backend")
    assert found["API_KEY_SALT"] == ("app", "api_key_salt", False)
    assert found["POSTGRES_DATABASE_URI"] == ("pg", "connection_url", False)
    assert found["REDIS_DATABASE_URI"] == ("cache", "connection_url", False)
    assert {each for each in release.names("Secret") if "standalone" not in each} == {"langsmith-clickhouse"}


def test_without_secrets_the_references_are_optional(render: Any) -> None:
    """With disableSecretCreation there are no Secrets, and references are optional, but for the two encryption keys."""
    release = render("config.disableSecretCreation=true")
    found = release.environment("Deployment", "langsmith-backend")
    assert {each for each in release.names("Secret") if "standalone" not in each} == set()
    assert found["API_KEY_SALT"][2] is True
    assert found["CLICKHOUSE_HOST"][2] is True
    assert found["CLIO_ENCRYPTION_KEY"][2] is False


def test_a_redis_cluster_has_keys_of_its_own(render: Any) -> None:
    """With a cluster, pods read node addresses and a password instead of one URL."""
    release = render("redis.external.enabled=true", "redis.external.cluster.enabled=true")
    found = release.environment("Deployment", "langsmith-backend")
    assert found["REDIS_CLUSTER_DATABASE_URIS"] == ("langsmith-redis", "redis_cluster_node_uris", False)
    assert found["REDIS_CLUSTER_PASSWORD"] == ("langsmith-redis", "redis_cluster_password", False)
    assert "REDIS_DATABASE_URI" not in found


def test_pods_restart_for_secrets_of_the_chart_only(render: Any, default: Any) -> None:
    """Checksums of the chart's Secrets are on its pods; of existing ones there are none."""
    stores = [f"{store}.external.existingSecretName=mine" for store in ("postgres", "redis", "clickhouse")]
    own = default.pod("Deployment", "langsmith-backend")["metadata"]["annotations"]
    others = render(*EXISTING, *stores).pod("Deployment", "langsmith-backend")["metadata"]["annotations"]
    assert set(own) - set(others) == {f"checksum/{name}" for name in ("secrets", "postgres", "redis", "clickhouse")}
    assert set(others) == {"checksum/config", "checksum/frontend-config"}


@pytest.mark.parametrize("key", ["config.apiKeySalt", "postgres.external.password", "clickhouse.external.password"])
def test_a_new_value_of_a_secret_changes_the_pods(render: Any, key: str) -> None:
    """A changed value in the values file is a changed checksum, so the pods restart."""
    changed = render(f"{key}=another", "postgres.external.enabled=true")
    same = render("postgres.external.enabled=true")
    annotations = [each.pod("Deployment", "langsmith-queue")["metadata"]["annotations"] for each in (changed, same)]
    assert annotations[0] != annotations[1]


@pytest.mark.parametrize("name", JOBS)
def test_hook(default: Any, name: str) -> None:
    """Each Job has the official hooks, weight, attempts and life time."""
    hook, weight, attempts, kept = JOBS[name]
    job = default.get("Job", name)
    annotations = job["metadata"]["annotations"]
    assert (annotations["helm.sh/hook"], annotations["helm.sh/hook-weight"]) == (hook, weight)
    assert job["spec"].get("backoffLimit") == attempts
    assert job["spec"]["ttlSecondsAfterFinished"] == kept
    assert default.container("Job", name)["image"] == "docker.io/langchain/langsmith-backend:0.16.45"


def test_the_first_administrator_comes_from_values_and_secret(default: Any) -> None:
    """The address is a value, the password a reference."""
    found = default.environment("Job", "langsmith-backend-auth-bootstrap")
    assert found["INITIAL_ORG_ADMIN_EMAIL"] == "admin@example.com"
    assert found["INITIAL_ORG_ADMIN_PASSWORD"] == ("langsmith-secrets", "initial_org_admin_password", False)


def test_oauth_needs_no_first_administrator(render: Any) -> None:
    """With OAuth and PKCE there is neither bootstrap nor end-to-end test, and pods get the client's id."""
    release = render("config.basicAuth.enabled=false", "config.oauth.enabled=true", "config.authType=oauth")
    found = release.environment("Deployment", "langsmith-backend")
    assert release.names("Job") == set(JOBS) - {"langsmith-backend-auth-bootstrap", "langsmith-e2e-test"}
    assert found["OAUTH_CLIENT_ID"] == ("langsmith-secrets", "oauth_client_id", False)
    assert "OAUTH_CLIENT_SECRET" not in found


def test_oauth_with_a_client_secret(render: Any) -> None:
    """With mixed OAuth the client secret is read, and the end-to-end test runs."""
    release = render("config.basicAuth.enabled=false", "config.oauth.enabled=true")
    found = release.environment("Deployment", "langsmith-backend")
    assert found["OAUTH_CLIENT_SECRET"] == ("langsmith-secrets", "oauth_client_secret", False)
    assert "langsmith-e2e-test" in release.names("Job")


@pytest.mark.parametrize("agent", AGENTS)
def test_agent_product(default: Any, agent: str) -> None:
    """Insights and Polly have an API server, a queue and stores of their own."""
    server = default.container("Deployment", f"langsmith-{agent}-api-server")
    queue = default.container("Deployment", f"langsmith-{agent}-queue")
    assert [each["containerPort"] for each in server["ports"]] == [8000]
    assert server["startupProbe"]["httpGet"] == {"path": "/ok?check_db=1", "port": 8000}
    assert queue["readinessProbe"]["httpGet"] == {"path": "/ok", "port": 8000}
    for store in ("postgres", "redis"):
        workload = default.get("StatefulSet", f"langsmith-{agent}-{store}")["spec"]
        assert workload["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "8Gi"
        assert "resources" not in workload["template"]["spec"]["containers"][0]


def test_ingress(render: Any) -> None:
    """One rule for the host, and the host is announced to external-dns."""
    release = render("ingress.enabled=true", "ingress.ingressClassName=alb")
    ingress = release.get("Ingress", "langsmith-ingress")
    backend = {"service": {"name": "langsmith-frontend", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    assert ingress["metadata"]["annotations"] == {"external-dns.alpha.kubernetes.io/hostname": "langsmith.example.com"}
    assert ingress["spec"] == {
        "ingressClassName": "alb",
        "rules": [{"host": "langsmith.example.com", "http": {"paths": [path]}}],
    }


def test_ingress_without_host_matches_every_host(render: Any) -> None:
    """Without a host name the rule has no host, and nothing is announced."""
    ingress = render("ingress.enabled=true", "config.hostname=").get("Ingress", "langsmith-ingress")
    assert "host" not in ingress["spec"]["rules"][0]
    assert "annotations" not in ingress["metadata"]


def test_an_autoscaler_owns_the_replicas(render: Any) -> None:
    """With HPA or KEDA on, the Deployment says nothing about replicas; ranges are the official ones."""
    release = render("backend.autoscaling.hpa.enabled=true", "queue.autoscaling.keda.enabled=true")
    scaler = release.get("HorizontalPodAutoscaler", "langsmith-backend")["spec"]
    keda = release.get("ScaledObject", "langsmith-queue")["spec"]
    assert "replicas" not in release.get("Deployment", "langsmith-backend")["spec"]
    assert "replicas" not in release.get("Deployment", "langsmith-queue")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert keda["triggers"][-1]["metadata"] == {
        "url": "http://langsmith-backend.langsmith.svc.cluster.local:1984/metrics/queue/default",
        "valueLocation": "queued",
        "targetValue": "10",
    }


def test_people_may_set_what_the_official_chart_lets_them_set(render: Any) -> None:
    """Node choice, tolerations, variables, annotations and a mirror's registry reach the pods."""
    release = render(
        "backend.deployment.nodeSelector.pool=general",
        "backend.deployment.tolerations[0].key=a",
        "backend.deployment.extraEnv[0].name=EXTRA",
        "backend.deployment.extraEnv[0].value=x",
        "backend.deployment.annotations.team=smiths",
        "images.registry=mirror.example.com",
        "commonEnv[0].name=COMMON",
        "commonEnv[0].value=y",
    )
    pod = release.pod("Deployment", "langsmith-backend")
    found = release.environment("Deployment", "langsmith-backend")
    assert pod["spec"]["nodeSelector"] == {"pool": "general"}
    assert pod["spec"]["tolerations"] == [{"key": "a"}]
    assert pod["metadata"]["annotations"]["team"] == "smiths"
    assert (found["EXTRA"], found["COMMON"]) == ("x", "y")
    image = release.container("Deployment", "langsmith-backend")["image"]
    assert image == "mirror.example.com/docker.io/langchain/langsmith-backend:0.16.45"
    assert "COMMON" not in release.environment("Deployment", "langsmith-playground")


def test_secret_values_are_only_in_secrets(default: Any) -> None:
    """No license, salt, password or key stands in anything but a Secret."""
    secrets = ("a-license", "a-salt", "Correct-horse-battery", "a-jwt-secret", "an-insights-key", "a-polly-key")
    kept = default.get("Secret", "langsmith-secrets")["data"].values()
    rest = str([each for each in default.objects if each["kind"] != "Secret"])
    assert set(secrets) <= {base64.b64decode(each).decode() for each in kept}
    assert [each for each in secrets if each in rest] == []
