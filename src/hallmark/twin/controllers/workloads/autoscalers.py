"""Horizontal pod autoscalers: more replicas when they are busy, fewer when not; honest when nobody measures."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hallmark.twin.controllers import conditions
from hallmark.twin.controllers.clock import Clock, now, written
from hallmark.twin.controllers.workloads import scaling, scaling_limits
from hallmark.twin.controllers.workloads.children import to_itself
from hallmark.twin.controllers.workloads.pods import labels, status
from hallmark.twin.controllers.workloads.scaling import NoMetric, Proposal, Usage
from hallmark.twin.controllers.workloads.scaling_limits import Limited, Past
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import ApiError
from hallmark.twin.kube.events import Recorder
from hallmark.twin.kube.kinds import API_SERVICES, AUTOSCALERS, PODS, Key, Kind, Object
from hallmark.twin.kube.reconcile import Mapper

PERIOD = 15.0
"""Seconds between two looks at the metrics: ``--horizontal-pod-autoscaler-sync-period``."""
POD_METRICS = Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
METRICS_SERVICE = "v1beta1.metrics.k8s.io"
NO_API, NOT_SERVED = (
    "unable to fetch metrics from resource metrics API",
    "the server could not find the requested resource",
)


class Autoscalers:
    """Scales what each HorizontalPodAutoscaler targets.

    Args:
        caches: The cluster.
        clock: Tells the time.
        period: Seconds between two looks.
    """

    name = "horizontal-pod-autoscaler"

    def __init__(self, caches: Caches, clock: Clock = now, period: float = PERIOD) -> None:
        self._caches = caches
        self._clock = clock
        self._period = period
        self._recorder = Recorder(caches.api, self.name)
        self._pasts: dict[str, Past] = {}
        self._looked: dict[str, tuple[Object, datetime]] = {}

    def watches(self) -> Mapping[Kind, Mapper]:
        """Autoscalers; pods, and whether anybody serves metrics, are read when needed."""
        return {AUTOSCALERS: to_itself, PODS: lambda _: (), API_SERVICES: lambda _: ()}

    async def reconcile(self, key: Key) -> float | None:
        """Look at the metrics once a period, or when the autoscaler changed."""
        scaler = self._caches[AUTOSCALERS].get(key)
        if scaler is None:
            return None
        uid, spec, moment = scaler["metadata"]["uid"], scaler["spec"], self._clock()
        before, since = self._looked.get(uid, ({}, moment))
        left = self._period - (moment - since).total_seconds()
        if before == spec and left > 0:
            return left
        self._looked[uid] = (spec, moment)
        await self._look(scaler, moment)
        return self._period

    async def _look(self, scaler: Object, moment: datetime) -> None:
        report = _Report(scaler, moment)
        try:
            target = scaler["spec"]["scaleTargetRef"]
            scale = await self._caches.api.call("GET", _path(target, scaler["metadata"]["namespace"]))
        except ApiError as error:
            lacking = f"the HPA controller was unable to get the target's current scale: {error.message}"
            report.put("AbleToScale", "False", "FailedGetScale", lacking)
            await self._recorder.warning(scaler, "FailedGetScale", error.message)
            await self._write(scaler, report)
            return
        report.put(
            "AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale"
        )
        replicas = int(scale["spec"].get("replicas", 0))
        report.numbers = {"currentReplicas": replicas, "desiredReplicas": replicas}
        if not replicas:
            disabled = "scaling is disabled since the replica count of the target is zero"
            report.put("ScalingActive", "False", "ScalingDisabled", disabled)
        elif wish := await self._wish(scaler, scale, replicas, report):
            await self._rescale(scaler, replicas, wish, report)
        await self._write(scaler, report)

    async def _wish(self, scaler: Object, scale: Object, replicas: int, report: "_Report") -> tuple[int, str] | None:
        spec = scaler["spec"]
        if replicas > spec["maxReplicas"]:
            return spec["maxReplicas"], "Current number of replicas above Spec.MaxReplicas"
        if replicas < spec.get("minReplicas", 1):
            return spec.get("minReplicas", 1), "Current number of replicas below Spec.MinReplicas"
        proposals, lacking = await self._proposals(scaler, scale, replicas, report.moment)
        report.metrics = [each.current for each in proposals]
        highest = max(proposals, key=lambda each: each.replicas, default=None)
        # With a metric missing, the others may ask for more, never for fewer.
        if lacking and (highest is None or highest.replicas < replicas):
            await self._lack(scaler, lacking, report)
            return None
        if highest is None:
            return None
        found = f"the HPA was able to successfully calculate a replica count from {highest.subject}"
        report.put("ScalingActive", "True", "ValidMetricFound", found)
        return (
            highest.replicas,
            f"{highest.subject} above target" if highest.replicas > replicas else "All metrics below target",
        )

    async def _proposals(
        self, scaler: Object, scale: Object, replicas: int, moment: datetime
    ) -> tuple[list[Proposal], list[NoMetric]]:
        proposals, lacking = [], []
        selector, namespace = status(scale).get("selector", ""), scaler["metadata"]["namespace"]
        for metric in scaler["spec"].get("metrics") or []:
            try:
                resource, container = scaling.resource_of(metric)
                used = await self._used(namespace, selector, resource, container)
                pods = [each for each in self._caches[PODS].all(namespace) if _selects(selector, labels(each))]
                proposals.append(scaling.propose(metric, Usage(pods, used), replicas, moment))
            except NoMetric as error:
                lacking.append(error)
        return proposals, lacking

    async def _used(
        self, namespace: str, selector: str, resource: Mapping[str, Any], container: str
    ) -> dict[str, Decimal]:
        name = resource["name"]
        kind = "utilization" if resource["target"]["type"] == "Utilization" else "usage"
        failed = f"failed to get {name} {kind}: unable to get metrics for resource {name}"
        api = self._caches[API_SERVICES].get(("", METRICS_SERVICE))
        if not api or not conditions.holds(api, "Available"):
            why = "the server is currently unable to handle the request" if api else NOT_SERVED
            raise NoMetric("FailedGetResourceMetric", f"{failed}: {NO_API}: {why} (get pods.metrics.k8s.io)")
        found, _ = await self._caches.api.list(POD_METRICS, namespace, labelSelector=selector)
        if not found:
            raise NoMetric("FailedGetResourceMetric", f"{failed}: no metrics returned from resource metrics API")
        return scaling.used_by(found, name, container)

    async def _lack(self, scaler: Object, lacking: Sequence[NoMetric], report: "_Report") -> None:
        first, total = lacking[0], len(scaler["spec"].get("metrics") or [])
        told = f"the HPA was unable to compute the replica count: {first}"
        report.put("ScalingActive", "False", first.reason, told)
        for each in lacking:
            await self._recorder.warning(scaler, each.reason, str(each))
        summary = f"invalid metrics ({len(lacking)} invalid out of {total}), first error is: {first}"
        await self._recorder.warning(scaler, "FailedComputeMetricsReplicas", summary)

    async def _rescale(self, scaler: Object, replicas: int, wish: tuple[int, str], report: "_Report") -> None:
        past = self._pasts.setdefault(scaler["metadata"]["uid"], Past())
        allowed = scaling_limits.limit(scaler["spec"], replicas, wish[0], past, report.moment)
        report.limited(allowed)
        if allowed.replicas == replicas:
            return
        target = scaler["spec"]["scaleTargetRef"]
        change = {"spec": {"replicas": allowed.replicas}}
        path = _path(target, scaler["metadata"]["namespace"])
        await self._caches.api.call("PATCH", path, change, content_type="application/merge-patch+json")
        message = f"New size: {allowed.replicas}; reason: {wish[1]}"
        await self._recorder.normal(scaler, "SuccessfulRescale", message)
        past.changes = [each for each in past.changes if report.moment - each[0] < timedelta(hours=1)]
        past.changes.append((report.moment, allowed.replicas - replicas))
        done = f"the HPA controller was able to update the target scale to {allowed.replicas}"
        report.put("AbleToScale", "True", "SucceededRescale", done)
        report.scaled = True

    async def _write(self, scaler: Object, report: "_Report") -> None:
        wanted = report.status()
        if wanted != scaler.get("status"):
            await self._caches.update(AUTOSCALERS, {**scaler, "status": wanted}, "status")


class _Report:
    # The status of one autoscaler while it is put together.

    def __init__(self, scaler: Object, moment: datetime) -> None:
        self._scaler = scaler
        self.moment = moment
        self.conditions = list(status(scaler).get("conditions") or [])
        self.numbers = {name: status(scaler).get(name, 0) for name in ("currentReplicas", "desiredReplicas")}
        self.metrics: list[Object] = []
        self.scaled = False

    def put(self, type_: str, truth: str, reason: str, message: str) -> None:
        self.conditions = conditions.put(self.conditions, conditions.make(type_, truth, reason, message, self.moment))

    def limited(self, allowed: Limited) -> None:
        self.put("AbleToScale", "True", *allowed.able)
        self.put("ScalingLimited", *allowed.limited)
        self.numbers["desiredReplicas"] = allowed.replicas

    def status(self) -> Object:
        last = written(self.moment) if self.scaled else status(self._scaler).get("lastScaleTime")
        generation = self._scaler["metadata"].get("generation")
        return {
            **({"observedGeneration": generation} if generation else {}),
            **({"lastScaleTime": last} if last else {}),
            **self.numbers,
            **({"currentMetrics": self.metrics} if self.metrics else {}),
            "conditions": self.conditions,
        }


def _path(target: Mapping[str, str], namespace: str) -> str:
    group, _, version = target.get("apiVersion", "apps/v1").rpartition("/")
    kind = Kind(group, version, f"{target['kind'].lower()}s", target["kind"])
    return kind.path(namespace, target["name"], "scale")


def _selects(selector: str, found: Mapping[str, str]) -> bool:
    # A Scale has its selector as text; of workloads it is a list of equalities, other terms are left to the metrics.
    terms = [each.partition("=") for each in selector.split(",") if "=" in each and "!" not in each]
    return bool(terms) and all(found.get(name) == value for name, _, value in terms)
