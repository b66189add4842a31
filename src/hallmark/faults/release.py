"""The objects of the release, found by labels and selectors.

The chart puts the component's label on pods and selectors only (LangSmith chart 0.16), so a workload is found by
its selector. Everything is read masked: equal texts have equal stand-ins, which is enough to compare.
"""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent
from hallmark.faults.reader import Reader
from hallmark.targets.cluster_writer import EXTERNAL

Object = Mapping[str, Any]
CHART = "langsmith"
INSTANCE, COMPONENT = "app.kubernetes.io/instance", "app.kubernetes.io/component"
WORKLOADS = {"deployments": "Deployment", "statefulsets": "StatefulSet"}


def objects(read: Reader, resource: str, group: str = "", version: str = "v1", namespace: str = "") -> list[Object]:
    """Return the objects of a resource in one namespace, or all; none when the resource is not served."""
    place = {"resource": resource, "group": group, "version": version, "namespace": namespace}
    listed = read.ask_or({"items": []}, "kubernetes", "list", **{key: value for key, value in place.items() if value})
    found: list[Object] = listed["items"]
    return found


def own_objects(read: Reader, resource: str, group: str = "", version: str = "v1") -> list[Object]:
    """Return the objects of a resource in the release's namespace."""
    return objects(read, resource, group, version, read.scope["namespace"])


def workloads(read: Reader) -> list[Object]:
    """Return the Deployments and StatefulSets of the release, each with its ``resource``."""
    return [
        {**one, "resource": resource}
        for resource in WORKLOADS
        for one in own_objects(read, resource, "apps")
        if is_own(one, read)
    ]


def workload(read: Reader, component: str) -> Object:
    """Return the one workload of a component, such as ``ingest-queue``.

    Raises:
        Absent: There is none.
    """
    wanted = f"{_full_name(read)}-{component}"
    for one in workloads(read):
        if selector(one).get(COMPONENT) == wanted:
            return one
    raise Absent(f"the release {read.scope['release']} has no {component}")


def pods(read: Reader, one: Object) -> list[Object]:
    """Return the pods of a workload that have not ended, also those that are about to."""
    wanted = selector(one).items()
    found = [pod for pod in own_objects(read, "pods") if wanted <= labels(pod).items()]
    return [pod for pod in found if pod["status"].get("phase") not in {"Succeeded", "Failed"}]


def is_own(one: Object, read: Reader) -> bool:
    """Whether an object carries the release's label."""
    return labels(one).get(INSTANCE) == read.scope["release"]


def name(one: Object) -> str:
    """Return an object's name."""
    return str(one["metadata"]["name"])


def labels(one: Object) -> Mapping[str, str]:
    """Return an object's labels."""
    return one["metadata"].get("labels") or {}


def annotations(one: Object) -> Mapping[str, str]:
    """Return an object's annotations."""
    return one["metadata"].get("annotations") or {}


def selector(one: Object) -> Mapping[str, str]:
    """Return the labels by which a workload selects its pods."""
    return one["spec"]["selector"].get("matchLabels") or {}


def condition(one: Object, kind: str) -> Mapping[str, Any]:
    """Return one condition of an object; empty when it has none of that kind."""
    found: list[Mapping[str, Any]] = one.get("status", {}).get("conditions") or []
    return next((each for each in found if each["type"] == kind), {})


def service_account(one: Object) -> str:
    """Return the name of the service account of a workload's pods."""
    return str(one["spec"]["template"]["spec"].get("serviceAccountName") or "default")


def secrets_of(one: Object) -> set[str]:
    """Return the names of the Secrets that the containers of a workload get variables from."""
    found: set[str] = set()
    for container in one["spec"]["template"]["spec"]["containers"]:
        sources = [(entry.get("valueFrom") or {}).get("secretKeyRef") for entry in container.get("env", [])]
        sources += [source.get("secretRef") for source in container.get("envFrom", [])]
        found |= {source["name"] for source in sources if source}
    return found


def external_secrets(read: Reader) -> tuple[str, list[Object]]:
    """Return the served version of External Secrets, and those of the namespace; nothing when there are none.

    Beside the stable version an older one may be served (External Secrets Operator, "Stability and Support").
    """
    served = read.ask("kubernetes", "discovery")["resources"]
    for version in ("v1", "v1beta1"):
        if "externalsecrets" in served.get(f"{EXTERNAL}/{version}", []):
            return version, own_objects(read, "externalsecrets", EXTERNAL, version)
    return "", []


def target_of(external: Object) -> str:
    """Return the name of the Secret that an ExternalSecret makes: its own, unless it says otherwise."""
    return str((external["spec"].get("target") or {}).get("name") or name(external))


def secret_keys(read: Reader) -> dict[str, list[str]]:
    """Return the names of the keys of each Secret of the namespace."""
    held = read.ask("kubernetes", "secrets", namespace=read.scope["namespace"])["items"]
    return {name(one): sorted(one["keys"]) for one in held}


def _full_name(read: Reader) -> str:
    """Return what the names of the release's objects begin with, by the chart's own rule."""
    release = read.scope["release"]
    where = {"namespace": read.scope["namespace"], "name": release}
    values = read.ask_or({}, "kubernetes", "release", **where).get("values", {})
    if override := values.get("fullnameOverride"):
        return str(override)[:63].removesuffix("-")
    chart = str(values.get("nameOverride") or CHART)
    return (release if chart in release else f"{release}-{chart}")[:63].removesuffix("-")
