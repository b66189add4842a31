"""What can be wrong with the release, and what only looks wrong."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Status


def _release(edit: Edit) -> dict[str, Any]:
    return next(edit.each("kubernetes", "release"))


def _variable(edit: Edit, workload: str, name: str) -> dict[str, Any]:
    deployment = next(edit.objects("deployments", workload))
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return next(one for one in variables if one["name"] == name)


@mutant(breaks=["release_deployed"])
def no_release(edit: Edit) -> None:
    """Somebody applied rendered manifests instead of installing the chart."""
    edit.status("kubernetes", "release", Status.ABSENT, "NotFound")


@mutant(breaks=["release_deployed"])
def release_is_stuck(edit: Edit) -> None:
    """An upgrade was interrupted, and every further one says that another is in progress."""
    _release(edit)["status"] = "pending-upgrade"


@mutant(breaks=["release_deployed"])
def release_failed(edit: Edit) -> None:
    """A hook failed."""
    _release(edit)["status"] = "failed"


@mutant(breaks=["release_deployed"])
def another_chart(edit: Edit) -> None:
    """A release of that name exists, of something else."""
    _release(edit)["chart"]["name"] = "nginx"


@mutant(breaks=["cluster_is_eks"])
def another_cluster(edit: Edit) -> None:
    """The kubeconfig leads to a cluster of another version than the one EKS describes."""
    next(edit.each("kubernetes", "version"))["gitVersion"] = "v1.31.4+k3s1"


@mutant(breaks=["chart_recent"])
def chart_is_old(edit: Edit) -> None:
    """The chart is three minor lines behind."""
    _release(edit)["chart"]["version"] = "0.13.4"


@mutant(breaks=[])
def chart_is_newer(edit: Edit) -> None:
    """A chart of a line that this version of Hallmark does not know yet."""
    _release(edit)["chart"]["version"] = "0.17.2"


@mutant(breaks=["application_ready"])
def a_service_is_missing(edit: Edit) -> None:
    """Nobody runs the ingestion workers: traces are accepted and never appear."""
    edit.remove("deployments", "langsmith-ingest-queue")


@mutant(breaks=["application_ready"])
def a_service_is_scaled_to_zero(edit: Edit) -> None:
    """A workload with no replica is healthy by its own account."""
    deployment = next(edit.objects("deployments", "langsmith-queue"))
    deployment["spec"]["replicas"] = 0
    deployment["status"] = {"observedGeneration": deployment["metadata"].get("generation", 1)}


@mutant(breaks=["application_ready"])
def a_pod_is_not_ready(edit: Edit) -> None:
    """One of the pods of platform-backend is not ready."""
    next(edit.objects("deployments", "langsmith-platform-backend"))["status"]["readyReplicas"] -= 1


@mutant(breaks=["application_ready"])
def a_rollout_hangs(edit: Edit) -> None:
    """The old pods still serve, the new one does not start."""
    next(edit.objects("deployments", "langsmith-backend"))["status"]["updatedReplicas"] = 1


@mutant(breaks=["application_ready"])
def a_rollout_is_stuck_beside_the_old_pod(edit: Edit) -> None:
    """The new pod of the queue crashes; the old one stays and is ready, so that the numbers look right."""
    next(edit.objects("deployments", "langsmith-queue"))["status"]["replicas"] = 2


@mutant(breaks=["application_ready"])
def a_change_is_not_seen_yet(edit: Edit) -> None:
    """The status is of the version before."""
    deployment = next(edit.objects("deployments", "langsmith-frontend"))
    deployment["metadata"]["generation"] = deployment["status"]["observedGeneration"] + 1


@mutant(breaks=[])
def more_replicas(edit: Edit) -> None:
    """A pod autoscaler has added a replica."""
    deployment = next(edit.objects("deployments", "langsmith-backend"))
    deployment["spec"]["replicas"] += 1
    for name in ("readyReplicas", "updatedReplicas", "replicas"):
        deployment["status"][name] = deployment["spec"]["replicas"]


@mutant(breaks=["host_is_own"])
def host_is_another(edit: Edit) -> None:
    """The platform sends its users to another host."""
    _variable(edit, "langsmith-backend", "LANGSMITH_URL")["value"] = "langsmith.example.org"


@mutant(breaks=["host_is_own"])
def host_is_not_set(edit: Edit) -> None:
    """Without a hostname links and redirects are wrong."""
    _variable(edit, "langsmith-platform-backend", "LANGSMITH_URL")["value"] = ""


@mutant(breaks=["host_is_own"])
def a_part_talks_to_the_vendor(edit: Edit) -> None:
    """A listener of the hybrid mode is connected to the vendor's control plane."""
    url = {"scheme": "https", "host": "api.host.langchain.com", "port": 0, "userinfo": False, "password": False}
    for deployment in edit.objects("deployments", "langsmith-queue"):
        variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
        variables.append({"name": "HOST_BACKEND_URL", "value": "x", "url": url})


@mutant(breaks=[])
def the_host_is_written_as_a_url(edit: Edit) -> None:
    """With scheme and base path it is the same host."""
    for name in ("langsmith-backend", "langsmith-platform-backend"):
        variable = _variable(edit, name, "LANGSMITH_URL")
        variable["value"] = f"https://{variable['value']}/base"


@mutant(breaks=[])
def objects_have_another_name(edit: Edit) -> None:
    """The chart's fullnameOverride renames everything; labels and selectors tell what is what."""
    _release(edit)["values"]["fullnameOverride"] = "platform"
    for kind in ("deployments", "statefulsets"):
        for one in edit.objects(kind):
            for labels in (one["spec"]["selector"]["matchLabels"], one["spec"]["template"]["metadata"]["labels"]):
                _rename(labels)
    for pod in edit.objects("pods"):
        _rename(pod["metadata"]["labels"])
    for service in edit.objects("services"):
        _rename(service["spec"].get("selector") or {})


def _rename(labels: dict[str, str]) -> None:
    key = "app.kubernetes.io/component"
    if key in labels:
        labels[key] = labels[key].replace("langsmith-", "platform-", 1)
