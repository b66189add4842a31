"""What the server fills in and leaves out.

Source: Kubernetes API reference, "Defaults to ..." of each field.
"""

import tomllib
from typing import Any

import pytest

from hallmark.twin.cluster.schema import computed, defaults, definitions

Json = dict[str, Any]


def stored(api_version: str, kind: str, **parts: Any) -> Json:
    """An object with its defaults."""
    obj = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **parts}
    defaults.apply(api_version.rpartition("/")[0], kind, obj)
    return obj


def pod(**spec: Any) -> Json:
    """A pod with one container and its defaults."""
    return stored("v1", "Pod", spec={"containers": [{"name": "c", "image": "nginx:1.27"}], **spec})


def container(**fields: Any) -> Json:
    """The container of a pod, with its defaults."""
    found: Json = pod(containers=[{"name": "c", "image": "nginx:1.27", **fields}])["spec"]["containers"][0]
    return found


def test_pod() -> None:
    """A pod as the reference describes it."""
    assert pod() == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {
            "containers": [
                {
                    "name": "c",
                    "image": "nginx:1.27",
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                }
            ],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": True,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("registry.example:5000/nginx", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry.example:5000/nginx:1.27", "IfNotPresent"),
        ("nginx@sha256:abc", "IfNotPresent"),
    ],
)
def test_image_pull_policy(image: str, policy: str) -> None:
    """The tag latest, also when it is not written, is always pulled."""
    assert container(image=image)["imagePullPolicy"] == policy


def test_probe() -> None:
    """A probe, and the request it makes."""
    assert container(readinessProbe={"httpGet": {"port": 80}, "timeoutSeconds": 0})["readinessProbe"] == {
        "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
        "failureThreshold": 3,
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 1,
    }


def test_requests_follow_limits() -> None:
    """A container asks for what it is limited to; in a template it does not yet."""
    limits = {"cpu": 1, "memory": "1024Mi"}
    assert container(resources={"limits": limits, "requests": {"cpu": "0.5"}})["resources"] == {
        "limits": {"cpu": "1", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"},
    }
    template = {"spec": {"containers": [{"name": "c", "resources": {"limits": limits}}]}}
    made = stored("apps/v1", "Deployment", spec={"template": template})
    assert "requests" not in made["spec"]["template"]["spec"]["containers"][0]["resources"]


@pytest.mark.parametrize(
    ("resources", "quality"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
    ],
)
def test_quality_of_service(resources: Json, quality: str) -> None:
    """The class follows from requests and limits (documentation, "Pod Quality of Service Classes")."""
    made = pod(containers=[{"name": "c", "image": "i", "resources": resources}])
    assert made["status"]["qosClass"] == quality


def test_volumes() -> None:
    """A volume without a source is an empty directory; files of a secret are readable."""
    volumes = [
        {"name": "a"},
        {"name": "b", "secret": {"secretName": "s"}},
        {"name": "c", "emptyDir": {}},
        {"name": "d", "hostPath": {"path": "/d"}},
        {"name": "e", "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    ]
    assert pod(volumes=volumes)["spec"]["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "secret": {"secretName": "s", "defaultMode": 420}},
        {"name": "c", "emptyDir": {}},
        {"name": "d", "hostPath": {"path": "/d", "type": ""}},
        {
            "name": "e",
            "downwardAPI": {
                "defaultMode": 420,
                "items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}],
            },
        },
    ]


def test_divisor_is_always_written() -> None:
    """A quantity that Go keeps as a struct is 0 when it was not given."""
    source = {"resourceFieldRef": {"resource": "limits.cpu"}}
    env = container(env=[{"name": "CPU", "valueFrom": source}])["env"]
    assert env[0]["valueFrom"]["resourceFieldRef"] == {"resource": "limits.cpu", "divisor": "0"}


def test_zero_values_are_left_out() -> None:
    """What Go does not encode when it is empty is gone; a pointer to zero stays."""
    made = pod(hostNetwork=False, nodeName="", tolerations=[], nodeSelector={}, hostUsers=False, priority=0)
    assert not made["spec"].keys() & {"hostNetwork", "nodeName", "tolerations", "nodeSelector"}
    assert (made["spec"]["hostUsers"], made["spec"]["priority"]) == (False, 0)


def test_nulls_and_unknown_fields_are_left_out() -> None:
    """A null is no value, and what nobody knows is not stored."""
    made = stored("v1", "ConfigMap", data={"a": "b"}, immutable=None, spec={"x": 1})
    assert made == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}}


def test_deployment() -> None:
    """A rolling update replaces a quarter at a time; a recreation has no such settings."""
    spec = stored("apps/v1", "Deployment", spec={"template": {"spec": {}}})["spec"]
    assert {key: spec[key] for key in spec if key != "template"} == {
        "progressDeadlineSeconds": 600,
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    }
    recreated = stored("apps/v1", "Deployment", spec={"strategy": {"type": "Recreate"}})
    assert recreated["spec"]["strategy"] == {"type": "Recreate"}


def test_zero_replicas_stay() -> None:
    """Zero replicas are a wish, no missing value."""
    assert stored("apps/v1", "Deployment", spec={"replicas": 0})["spec"]["replicas"] == 0


def test_stateful_set() -> None:
    """A stateful set, and the claims it makes."""
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    spec = stored("apps/v1", "StatefulSet", spec={"template": {"spec": {}}, "volumeClaimTemplates": [claim]})["spec"]
    assert {key: spec[key] for key in spec if key != "template"} == {
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        "podManagementPolicy": "OrderedReady",
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "serviceName": "",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "volumeClaimTemplates": [
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {}, "volumeMode": "Filesystem"},
                "status": {"phase": "Pending"},
            }
        ],
    }


@pytest.mark.parametrize(
    ("given", "parallelism", "completions"),
    [({}, 1, 1), ({"parallelism": 3}, 3, None), ({"completions": 5}, 1, 5)],
)
def test_job(given: Json, parallelism: int, completions: int | None) -> None:
    """A job completes once, unless it is a queue of work."""
    spec = stored("batch/v1", "Job", spec={"template": {"spec": {}}, **given})["spec"]
    assert (spec["parallelism"], spec.get("completions")) == (parallelism, completions)
    assert (spec["backoffLimit"], spec["completionMode"], spec["suspend"]) == (6, "NonIndexed", False)


def test_template_of_a_cron_job_is_no_job_yet() -> None:
    """The job's own defaults come when the job does; the pod's are there."""
    spec = stored("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": {"spec": {}}}}})["spec"]
    assert (spec["concurrencyPolicy"], spec["successfulJobsHistoryLimit"]) == ("Allow", 3)
    job = spec["jobTemplate"]["spec"]
    assert "backoffLimit" not in job
    assert job["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_service() -> None:
    """A port leads to the same port; a type that is reachable from outside says how traffic comes in."""
    spec = stored("v1", "Service", spec={"ports": [{"port": 80}]})["spec"]
    assert spec == {
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    balanced = stored("v1", "Service", spec={"type": "LoadBalancer", "ports": [{"port": 80, "targetPort": "http"}]})
    assert balanced["spec"]["externalTrafficPolicy"] == "Cluster"
    assert balanced["spec"]["allocateLoadBalancerNodePorts"] is True
    assert balanced["spec"]["ports"][0]["targetPort"] == "http"


def test_external_name_has_no_address() -> None:
    """A service that is only a name has no family of addresses."""
    spec = stored("v1", "Service", spec={"type": "ExternalName", "externalName": "db.example"})["spec"]
    assert spec == {"externalName": "db.example", "sessionAffinity": "None", "type": "ExternalName"}


def test_secret_text_is_encoded() -> None:
    """Plain text ends up among the data and wins; it is not stored as it came."""
    made = stored("v1", "Secret", data={"a": "b2xk", "b": "Yg=="}, stringData={"a": "new"})
    assert (made["data"], made["type"]) == ({"a": "bmV3", "b": "Yg=="}, "Opaque")
    assert "stringData" not in made


def test_service_account_has_two_names() -> None:
    """The old field says the same as the new one."""
    assert pod(serviceAccountName="app")["spec"]["serviceAccount"] == "app"
    assert pod(serviceAccount="old")["spec"]["serviceAccountName"] == "old"


def test_autoscaler_in_both_versions() -> None:
    """Without a metric an autoscaler aims at 80 % of the CPU asked for."""
    target = {"kind": "Deployment", "name": "web"}
    second = stored("autoscaling/v2", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target, "maxReplicas": 3})
    wanted = {"type": "Utilization", "averageUtilization": 80}
    assert second["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": wanted}}]
    first = stored("autoscaling/v1", "HorizontalPodAutoscaler", spec={"scaleTargetRef": target, "maxReplicas": 3})
    assert first["spec"]["targetCPUUtilizationPercentage"] == 80
    assert first["spec"]["minReplicas"] == 1


def test_applying_twice_changes_nothing() -> None:
    """An object with its defaults stays as it is."""
    made = pod(volumes=[{"name": "a"}])
    again = stored("v1", "Pod", spec=made["spec"], status=made["status"])
    assert again == made


def test_unknown_kind_stays_as_it_is() -> None:
    """What Kubernetes does not know, it does not fill in."""
    assert stored("example.com/v1", "Thing", spec=None) == {
        "apiVersion": "example.com/v1",
        "kind": "Thing",
        "metadata": {"name": "x"},
        "spec": None,
    }


def test_each_entry_of_the_table_has_its_type() -> None:
    """A type in defaults.toml exists, its paths do, and its functions do."""
    table = tomllib.loads((definitions.DATA / "defaults.toml").read_text())
    names = {name.rpartition(".")[2]: name for name in definitions.load("definitions")}
    wrong = [kind for kind in table if kind not in names]
    for kind, entry in table.items():
        paths = [path for path in entry if path not in ("compute", "when")]
        paths += [path for each in entry.get("when", {}).values() for path in each]
        for path in paths:
            schema = definitions.Schema({"$ref": names[kind]})
            for key in path.split("."):
                if key not in schema.fields:
                    wrong.append(f"{kind}.{path}")
                    break
                schema = schema.fields[key]
        wrong += [name for name in entry.get("compute", ()) if not hasattr(computed, name)]
    assert wrong == []


def test_custom_resource_gets_the_defaults_of_its_schema() -> None:
    """Defaults of a definition are filled in from the outside to the inside."""
    schema = definitions.custom(
        {
            "type": "object",
            "properties": {
                "spec": {
                    "type": "object",
                    "default": {},
                    "properties": {
                        "size": {"type": "integer", "default": 3},
                        "mode": {"type": "string", "nullable": True, "default": "a"},
                        "list": {
                            "type": "array",
                            "items": {"type": "object", "properties": {"on": {"type": "boolean", "default": True}}},
                        },
                    },
                }
            },
        }
    )
    obj: Json = {"kind": "Thing"}
    defaults.fill(obj, schema)
    assert obj == {"kind": "Thing", "spec": {"size": 3, "mode": "a"}}
    given: Json = {"spec": {"size": 0, "mode": None, "list": [{}, {"on": False}]}}
    defaults.fill(given, schema)
    assert given == {"spec": {"size": 0, "mode": None, "list": [{"on": True}, {"on": False}]}}


def test_nulls_of_custom_resources() -> None:
    """A null is dropped where the schema does not allow it, and stays where it does or does not know."""
    properties: Json = {
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "may": {"type": "string", "nullable": True},
        "must": {"type": "string"},
    }
    schema = definitions.custom({"type": "object", "properties": properties})
    obj: Json = {"metadata": {"name": "x", "labels": None}, "free": {"a": None}, "may": None, "must": None}
    defaults.normalise(obj, schema)
    assert obj == {"metadata": {"name": "x"}, "free": {"a": None}, "may": None}
