"""What kube-controller-manager and kube-scheduler do, one small controller a file."""

from hallmark.twin.controllers.settings import Settings
from hallmark.twin.controllers.workloads.autoscalers import Autoscalers
from hallmark.twin.controllers.workloads.cron_jobs import CronJobs
from hallmark.twin.controllers.workloads.daemon_sets import DaemonSets
from hallmark.twin.controllers.workloads.deployments import Deployments
from hallmark.twin.controllers.workloads.disruption_budgets import DisruptionBudgets
from hallmark.twin.controllers.workloads.endpoint_slices import EndpointSlices
from hallmark.twin.controllers.workloads.jobs import Jobs
from hallmark.twin.controllers.workloads.node_lifecycle import NodeLifecycle
from hallmark.twin.controllers.workloads.pod_collector import PodCollector
from hallmark.twin.controllers.workloads.replica_sets import ReplicaSets
from hallmark.twin.controllers.workloads.scheduler import Scheduler
from hallmark.twin.controllers.workloads.stateful_sets import StatefulSets
from hallmark.twin.controllers.workloads.taint_evictions import TaintEvictions
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.reconcile import Controller


def controllers(caches: Caches, _settings: Settings) -> list[Controller]:
    """Every workload controller, and the scheduler."""
    return [
        Deployments(caches),
        ReplicaSets(caches),
        StatefulSets(caches),
        DaemonSets(caches),
        Jobs(caches),
        CronJobs(caches),
        Autoscalers(caches),
        EndpointSlices(caches),
        DisruptionBudgets(caches),
        Scheduler(caches),
        NodeLifecycle(caches),
        TaintEvictions(caches),
        PodCollector(caches),
    ]
