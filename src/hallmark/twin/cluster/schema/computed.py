"""Defaults that depend on other fields; ``data/defaults.toml`` names them.

Each function takes an object of the type it is named for and fills in what is missing, in place.
Source: pkg/apis/*/v1/defaults.go and the creation strategies of Kubernetes.
"""

import base64
from collections.abc import Iterator

from hallmark.twin.cluster.schema import quantities
from hallmark.twin.cluster.schema.values import Json, dig

_COMPUTED = frozenset({"cpu", "memory"})


def image_pull_policy(container: Json) -> None:
    """Container: ``Always`` for the tag latest, which is also the tag of an image without one."""
    if "image" in container and not container.get("imagePullPolicy"):
        image = str(container["image"]).rpartition("/")[2]
        _, _, tag = image.partition("@")[0].partition(":")
        pinned = "@" in image or tag not in ("", "latest")
        container["imagePullPolicy"] = "IfNotPresent" if pinned else "Always"


def service_account_twice(spec: Json) -> None:
    """PodSpec: the old name of the field says the same as the new one."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def host_ports(spec: Json) -> None:
    """PodSpec: on the host's network a container's port is the host's."""
    if spec.get("hostNetwork"):
        for container in containers(spec):
            for port in container.get("ports", ()):
                port.setdefault("hostPort", port.get("containerPort"))


def requests_from_limits(pod: Json) -> None:
    """Pod: a container asks for what it is limited to, unless it says otherwise."""
    for container in containers(pod.get("spec", {})):
        resources = container.get("resources") or {}
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}


def pod_status(pod: Json) -> None:
    """Pod: a new one is pending, and has its class of service for good."""
    status = pod.setdefault("status", {})
    status.setdefault("phase", "Pending")
    status.setdefault("qosClass", qos_class(pod.get("spec", {})))


def qos_class(spec: Json) -> str:
    """``BestEffort`` without any request or limit, ``Guaranteed`` when all are equal, otherwise ``Burstable``.

    Source: Kubernetes documentation, "Pod Quality of Service Classes".
    """
    each = [container.get("resources") or {} for container in containers(spec)]
    asked = [_positive(resources.get("requests")) for resources in each]
    limited = [_positive(resources.get("limits")) for resources in each]
    if not any(asked) and not any(limited):
        return "BestEffort"
    full = all(limits.keys() == _COMPUTED for limits in limited)
    return "Guaranteed" if full and all(not a or a == b for a, b in zip(asked, limited, strict=True)) else "Burstable"


def _positive(amounts: Json | None) -> Json:
    numbers = {name: quantities.of(amount) for name, amount in (amounts or {}).items() if name in _COMPUTED}
    return {name: number for name, number in numbers.items() if number > 0}


def containers(spec: Json) -> Iterator[Json]:
    """Containers of a pod, the initial ones too."""
    for field in ("containers", "initContainers"):
        yield from (each for each in spec.get(field) or () if isinstance(each, dict))


def empty_dir(volume: Json) -> None:
    """Volume: one without a source is an empty directory."""
    if not volume.keys() - {"name"}:
        volume["emptyDir"] = {}


def string_data(secret: Json) -> None:
    """Secret: plain text is encoded and wins over data; it is never stored as it came."""
    for key, text in (secret.pop("stringData", None) or {}).items():
        secret.setdefault("data", {})[key] = base64.b64encode(str(text).encode()).decode()


def namespace_name_label(namespace: Json) -> None:
    """Namespace: its name is a label, too."""
    metadata = namespace["metadata"]
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]


def allocatable(status: Json) -> None:
    """NodeStatus: all of the capacity can be given away, unless the node says otherwise."""
    if "allocatable" not in status and status.get("capacity"):
        status["allocatable"] = dict(status["capacity"])


def selector_from_template(controller: Json) -> None:
    """ReplicationController: it selects the pods it makes."""
    labels = dig(controller, "spec", "template", "metadata", "labels")
    if labels:
        controller["spec"].setdefault("selector", dict(labels))
        controller["metadata"].setdefault("labels", dict(labels))


def target_ports(service: Json) -> None:
    """Service: a port leads to the same port of the pods."""
    for port in dig(service, "spec", "ports") or ():
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port.get("port")


def session_affinity(service: Json) -> None:
    """Service: a client keeps its pod for three hours."""
    if service["spec"].get("sessionAffinity") == "ClientIP":
        config = service["spec"].setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        config.setdefault("timeoutSeconds", 10800)


def ip_families(service: Json) -> None:
    """Service: the cluster has one family of addresses, IPv4; only an external name has none.

    A headless service without a selector is the exception: its endpoints may be of both.
    """
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return
    both = spec.get("clusterIP") == "None" and not spec.get("selector")
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if both else "SingleStack")
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if both else ["IPv4"])


def limit_range_defaults(item: Json) -> None:
    """LimitRangeItem: for containers, what is missing of limits and requests comes from the bounds."""
    if item.get("type") != "Container":
        return
    for target, source in (("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")):
        if item.get(source):
            item[target] = {**item[source], **item.get(target, {})}


def claim_templates(workload: Json) -> None:
    """StatefulSet: its claims are whole objects and say so."""
    for claim in dig(workload, "spec", "volumeClaimTemplates") or ():
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
        claim.setdefault("status", {}).setdefault("phase", "Pending")
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def completions(job: Json) -> None:
    """Job: one completion, unless it is a queue of work, whose parallelism is set and whose completions are not."""
    spec = job["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)


def replacement_policy(job: Json) -> None:
    """Job: with a policy on failures a pod is replaced once it has failed, otherwise once it is terminating."""
    spec = job["spec"]
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")


def policy_types(spec: Json) -> None:
    """NetworkPolicySpec: a policy is about incoming traffic, and about outgoing when it has rules for it."""
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def target_utilization(scaler: Json) -> None:
    """HorizontalPodAutoscaler: without a metric it aims at 80 % of the CPU asked for."""
    spec = scaler["spec"]
    if str(scaler.get("apiVersion", "")).endswith("/v1"):
        spec.setdefault("targetCPUUtilizationPercentage", 80)
    elif not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def subject_group(subject: Json) -> None:
    """Subject: users and groups belong to the group of access control, service accounts to the core."""
    if subject.get("kind") in ("User", "Group"):
        subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def slice_ports(endpoints: Json) -> None:
    """EndpointSlice: a port without a name has the empty one."""
    for port in endpoints.get("ports") or ():
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def resource_names(definition: Json) -> None:
    """CustomResourceDefinition: names that follow from the kind."""
    names = dig(definition, "spec", "names")
    if names and isinstance(names.get("kind"), str):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")
