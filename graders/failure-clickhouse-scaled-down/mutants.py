"""One change at a time to the recovered system, and to what the learner wrote down."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

CLICKHOUSE = "langsmith-clickhouse"
AFTER = [
    "data_is_kept", "no_other_clickhouse", "application_asks_it", "clickhouse_is_as_large", "application_ready",
    "nothing_restarts", "secrets_are_supplied",
]  # fmt: skip
RUNS = ["clickhouse_runs", *AFTER]
READY = ["application_ready", "nothing_restarts"]


def clickhouse(edit: Edit) -> dict[str, Any]:
    """Return the StatefulSet."""
    return next(edit.objects("statefulsets", CLICKHOUSE))


def deployment(edit: Edit, name: str) -> dict[str, Any]:
    """Return a Deployment of the application."""
    return next(edit.objects("deployments", f"langsmith-{name}"))


def limits(edit: Edit) -> dict[str, str]:
    """Return what ClickHouse may use."""
    container = clickhouse(edit)["spec"]["template"]["spec"]["containers"][0]
    found: dict[str, str] = container["resources"]["limits"]
    return found


def claim(edit: Edit) -> dict[str, Any]:
    """Return the claim of ClickHouse."""
    return next(edit.objects("persistentvolumeclaims", f"data-{CLICKHOUSE}-0"))


def containers(edit: Edit, component: str) -> Iterator[dict[str, Any]]:
    """Yield what the kubelet says of the containers of one component."""
    name = f"langsmith-{component}"
    for pod in edit.objects("pods"):
        if pod["metadata"].get("labels", {}).get("app.kubernetes.io/component") == name:
            yield from pod["status"]["containerStatuses"]


def written(edit: Edit, table: str) -> Iterator[dict[str, Any]]:
    """Yield a table of the learner's file."""
    yield from edit.each("files", "table", table)


@mutant(breaks=RUNS)
def clickhouse_is_gone(edit: Edit) -> None:
    """The StatefulSet was deleted."""
    edit.remove("statefulsets", CLICKHOUSE)


@mutant(breaks=RUNS)
def nobody_wants_clickhouse(edit: Edit) -> None:
    """It is still scaled to zero."""
    one = clickhouse(edit)
    one["spec"]["replicas"] = 0
    one["status"] |= {"replicas": 0, "readyReplicas": 0, "updatedReplicas": 0}


@mutant(breaks=RUNS)
def clickhouse_is_not_ready(edit: Edit) -> None:
    """Its pod is there, and not ready."""
    clickhouse(edit)["status"]["readyReplicas"] = 0


@mutant(breaks=RUNS)
def two_are_wanted(edit: Edit) -> None:
    """There are two pods, both ready."""
    one = clickhouse(edit)
    one["spec"]["replicas"] = 2
    one["status"] |= {"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2}


@mutant(breaks=RUNS)
def controller_has_not_seen_it(edit: Edit) -> None:
    """The status is of the version before."""
    clickhouse(edit)["metadata"]["generation"] += 1


@mutant(breaks=["data_is_kept"])
def claim_is_new(edit: Edit) -> None:
    """The claim was deleted and made again."""
    claim(edit)["metadata"]["creationTimestamp"] = "2099-01-01T00:00:00Z"


@mutant(breaks=["data_is_kept"])
def claim_is_of_unknown_age(edit: Edit) -> None:
    """The claim does not say when it was made."""
    del claim(edit)["metadata"]["creationTimestamp"]


@mutant(breaks=["data_is_kept"])
def claim_is_not_bound(edit: Edit) -> None:
    """Its volume is gone."""
    claim(edit)["status"]["phase"] = "Lost"


@mutant(breaks=["data_is_kept"])
def volume_is_of_another_driver(edit: Edit) -> None:
    """The claim is bound to a file system of the network."""
    for volume in edit.objects("persistentvolumes"):
        volume["spec"]["csi"]["driver"] = "efs.csi.aws.com"


@mutant(breaks=["data_is_kept"])
def data_is_on_no_claim(edit: Edit) -> None:
    """The pod has the claim mounted somewhere else than where the data is."""
    for pod in edit.objects("pods", f"{CLICKHOUSE}-0"):
        for mount in pod["spec"]["containers"][0]["volumeMounts"]:
            if mount["mountPath"] == "/var/lib/clickhouse":
                mount["mountPath"] = "/mnt"


@mutant(breaks=["no_other_clickhouse"])
def a_spare_one_is_running(edit: Edit) -> None:
    """A Deployment in another namespace runs the same image."""
    for answer in edit.answers("kubernetes", "list", resource="deployments"):
        template = clickhouse(edit)["spec"]["template"]
        spare = {"metadata": {"name": "spare", "namespace": "default"}, "status": {}}
        answer["items"].append({**spare, "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}})


def add_pod(edit: Edit, labels: dict[str, str], **container: Any) -> None:
    """Add a pod of the release's ClickHouse that no controller made."""
    for answer in edit.answers("kubernetes", "list", resource="pods"):
        ours = next(pod for pod in answer["items"] if pod["metadata"]["name"].startswith("langsmith-clickhouse"))
        about = {"name": "spare", "namespace": ours["metadata"]["namespace"], "labels": labels}
        spec = {"containers": [{"name": "spare", "image": ours["spec"]["containers"][0]["image"], **container}]}
        answer["items"].append({"metadata": about, "spec": spec, "status": {"phase": "Running"}})


@mutant(breaks=["no_other_clickhouse"])
def a_spare_pod_is_running(edit: Edit) -> None:
    """Started by hand, without a controller."""
    add_pod(edit, {"run": "spare"})


@mutant(breaks=["no_other_clickhouse"])
def a_spare_pod_of_the_newest_image_is_running(edit: Edit) -> None:
    """Who names no version gets the newest."""
    add_pod(edit, {"run": "spare"}, image="clickhouse/clickhouse-server")


@mutant(breaks=["no_other_clickhouse"])
def a_copy_of_the_pod_is_running(edit: Edit) -> None:
    """It has the labels of the first, so the Service leads to both."""
    add_pod(edit, clickhouse(edit)["spec"]["selector"]["matchLabels"], command=["x"])


@mutant(breaks=[])
def a_client_is_running(edit: Edit) -> None:
    """The image holds the client, too."""
    add_pod(edit, {"run": "client"}, args=["clickhouse-client"])


@mutant(breaks=[])
def something_else_has_it_in_its_name(edit: Edit) -> None:
    """A backup tool for ClickHouse is no ClickHouse."""
    container = deployment(edit, "playground")["spec"]["template"]["spec"]["containers"][0]
    container["image"] = "docker.io/example/clickhouse-server-backup:2"


@mutant(breaks=["application_asks_it"])
def application_is_sent_elsewhere(edit: Edit) -> None:
    """The Secret names another host."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if secret["metadata"]["name"] == CLICKHOUSE:
            secret["keys"]["clickhouse_host"]["value"] = "clickhouse.elsewhere.example"


@mutant(breaks=["application_asks_it"])
def service_selects_something_else(edit: Edit) -> None:
    """The Service leads to other pods."""
    for service in edit.objects("services", CLICKHOUSE):
        service["spec"]["selector"]["app.kubernetes.io/component"] = "rescue"


@mutant(breaks=[])
def host_is_written_out(edit: Edit) -> None:
    """The full name of the Service is as good as the short one."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        if secret["metadata"]["name"] == CLICKHOUSE:
            secret["keys"]["clickhouse_host"]["value"] = f"{CLICKHOUSE}.langsmith.svc.cluster.local"


@mutant(breaks=["clickhouse_is_as_large"])
def clickhouse_has_half_the_cpu(edit: Edit) -> None:
    """Its limit was lowered."""
    limits(edit)["cpu"] = "4"


@mutant(breaks=["clickhouse_is_as_large"])
def clickhouse_has_half_the_memory(edit: Edit) -> None:
    """Its limit was lowered."""
    limits(edit)["memory"] = "16Gi"


@mutant(breaks=[])
def clickhouse_has_decimal_gigabytes(edit: Edit) -> None:
    """32G are 32 GB."""
    limits(edit)["memory"] = "32G"


@mutant(breaks=READY)
def a_component_is_gone(edit: Edit) -> None:
    """The queue was deleted."""
    edit.remove("deployments", "langsmith-queue")


@mutant(breaks=READY)
def a_component_is_switched_off(edit: Edit) -> None:
    """The ingest queue was scaled to zero to silence it."""
    one = deployment(edit, "ingest-queue")
    one["spec"]["replicas"] = 0
    one["status"] |= {"replicas": 0, "readyReplicas": 0, "updatedReplicas": 0}


@mutant(breaks=READY)
def a_component_is_half_there(edit: Edit) -> None:
    """One of two backends is ready."""
    deployment(edit, "backend")["status"]["readyReplicas"] = 1


@mutant(breaks=["nothing_restarts"])
def a_container_was_killed_just_now(edit: Edit) -> None:
    """ClickHouse ran out of memory while it caught up."""
    for status in containers(edit, "clickhouse"):
        status["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": _taken(edit)}}


@mutant(breaks=[])
def a_container_was_killed_long_ago(edit: Edit) -> None:
    """A restart of last year is none of this incident's."""
    for status in containers(edit, "clickhouse"):
        status["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": "2020-01-01T00:00:00Z"}}


@mutant(breaks=["secrets_are_supplied"])
def supply_has_failed(edit: Edit) -> None:
    """The ExternalSecret is not ready."""
    for external in edit.objects("externalsecrets", CLICKHOUSE):
        external["status"]["conditions"][0] |= {"status": "False", "reason": "SecretSyncedError"}


@mutant(breaks=["secrets_are_supplied"])
def nothing_supplies_a_secret(edit: Edit) -> None:
    """The ExternalSecret is gone, the Secret stayed."""
    edit.remove("externalsecrets", "langsmith-config")


@mutant(breaks=["evidence_is_collected", "diagnosis_is_right"])
def nothing_was_written_down(edit: Edit) -> None:
    """The file is empty."""
    for answer in edit.answers("files", "table"):
        answer.clear()


@mutant(breaks=["evidence_is_collected"])
def log_was_not_read(edit: Edit) -> None:
    """A time-out is another place."""
    for table in written(edit, "evidence"):
        table["log_says"] = "timed-out"


@mutant(breaks=["evidence_is_collected"])
def replicas_were_counted_after_the_repair(edit: Edit) -> None:
    """One was wanted, so the repair came before the evidence."""
    for table in written(edit, "evidence"):
        table["replicas_wanted"] = 1


@mutant(breaks=["evidence_is_collected"])
def replicas_are_a_boolean(edit: Edit) -> None:
    """False is not a number of pods."""
    for table in written(edit, "evidence"):
        table["replicas_wanted"] = False


@mutant(breaks=["evidence_is_collected"])
def endpoints_were_not_looked_up(edit: Edit) -> None:
    """The value that was handed out is still there."""
    for table in written(edit, "evidence"):
        table["endpoints"] = -1


@mutant(breaks=["evidence_is_collected"])
def claim_was_guessed(edit: Edit) -> None:
    """The claim is said to be lost."""
    for table in written(edit, "evidence"):
        table["claim_status"] = "Lost"


@mutant(breaks=["diagnosis_is_right"])
def component_is_wrong(edit: Edit) -> None:
    """The worker that complains is blamed."""
    for table in written(edit, "diagnosis"):
        table["component"] = "ingest-queue"


@mutant(breaks=["diagnosis_is_right"])
def cause_is_wrong(edit: Edit) -> None:
    """Memory is blamed, of a pod that nobody saw."""
    for table in written(edit, "diagnosis"):
        table["cause"] = "out-of-memory"


@mutant(breaks=["diagnosis_is_right"])
def fact_proves_something_else(edit: Edit) -> None:
    """The fact would prove another cause."""
    for table in written(edit, "diagnosis"):
        table["fact"] = "event-says-FailedScheduling"


@mutant(breaks=["diagnosis_is_right"])
def fact_is_missing(edit: Edit) -> None:
    """No fact is named."""
    for table in written(edit, "diagnosis"):
        del table["fact"]


def _taken(edit: Edit) -> str:
    """Return the moment the evidence was taken."""
    return edit.snapshot.collected_at
