"""What can be wrong with logs, events and probes, and what only looks wrong."""

from typing import Any

from hallmark.grading.mutation import Edit, mutant


def _agents(edit: Edit) -> list[dict[str, Any]]:
    def images(one: dict[str, Any]) -> str:
        return " ".join(container["image"] for container in one["spec"]["template"]["spec"]["containers"])

    return [one for one in edit.objects("daemonsets") if "fluent" in images(one)]


def _container(edit: Edit, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(edit.objects(kind, name))["spec"]["template"]["spec"]["containers"][0]
    return found


@mutant(breaks=["log_agent_ready"])
def no_log_agent(edit: Edit) -> None:
    """Nobody ships logs."""
    for agent in _agents(edit):
        edit.remove("daemonsets", agent["metadata"]["name"])


@mutant(breaks=["log_agent_ready"])
def log_agent_is_missing_on_a_node(edit: Edit) -> None:
    """A taint keeps it away from one node."""
    for agent in _agents(edit):
        agent["status"]["numberReady"] -= 1


@mutant(breaks=["log_agent_ready"])
def log_agent_runs_nowhere(edit: Edit) -> None:
    """Its node selector fits no node."""
    for agent in _agents(edit):
        agent["status"] = {"observedGeneration": 1, "desiredNumberScheduled": 0, "numberReady": 0}


@mutant(breaks=["log_agent_ready"])
def log_agent_is_meant_for_other_nodes(edit: Edit) -> None:
    """Ready on every node it is meant for, which is none of those that the release runs on."""
    for agent in _agents(edit):
        labels = agent["spec"]["selector"]["matchLabels"]
        for pod in edit.objects("pods"):
            if labels.items() <= pod["metadata"].get("labels", {}).items():
                pod["spec"]["nodeName"] = "another"


@mutant(breaks=["log_agent_ready"])
def log_agent_reads_metrics_only(edit: Edit) -> None:
    """An agent that does not see the logs of containers."""
    for agent in _agents(edit):
        pod = agent["spec"]["template"]["spec"]
        pod["volumes"] = [{"name": "root", "hostPath": {"path": "/"}}]
        pod["containers"][0]["image"] = "public.ecr.aws/cloudwatch-agent/cloudwatch-agent:1.300062"


@mutant(breaks=[])
def another_agent_reads_the_logs(edit: Edit) -> None:
    """An OpenTelemetry collector with the nodes' log folder."""
    for agent in _agents(edit):
        pod = agent["spec"]["template"]["spec"]
        pod["volumes"] = [{"name": "logs", "hostPath": {"path": "/var/log/pods"}}]
        pod["containers"][0]["image"] = "otel/opentelemetry-collector-contrib:0.140.0"


@mutant(breaks=["logs_arrive"])
def no_log_event_is_fresh(edit: Edit) -> None:
    """The agent's role does not let it write."""
    for answer in edit.answers("logs", "filter_log_events"):
        answer["events"] = []


@mutant(breaks=["logs_arrive"])
def no_log_group(edit: Edit) -> None:
    """The logs go somewhere else."""
    for answer in edit.answers("logs", "describe_log_groups"):
        answer["logGroups"] = []


@mutant(breaks=["events_visible"])
def events_are_hidden(edit: Edit) -> None:
    """Whoever operates the platform may not list events."""
    next(edit.each("kubernetes", "can"))["allowed"] = False


@mutant(breaks=["probes_everywhere"])
def no_liveness_probe(edit: Edit) -> None:
    """A worker that hangs is never restarted."""
    _container(edit, "deployments", "langsmith-ingest-queue").pop("livenessProbe")


@mutant(breaks=["probes_everywhere"])
def no_readiness_probe_of_clickhouse(edit: Edit) -> None:
    """It gets queries while it is still loading its tables."""
    _container(edit, "statefulsets", "langsmith-clickhouse").pop("readinessProbe")


@mutant(breaks=[])
def a_sidecar_without_probes(edit: Edit) -> None:
    """A mesh or an agent adds a container of its own."""
    deployment = next(edit.objects("deployments", "langsmith-backend"))
    deployment["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "x"})
