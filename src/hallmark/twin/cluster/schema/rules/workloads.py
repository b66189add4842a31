"""What makes pods: deployments, replica sets, stateful sets, daemon sets, jobs and cron jobs.

Source: pkg/apis/apps/validation and pkg/apis/batch/validation of Kubernetes.
"""

import re
from collections.abc import Iterator
from typing import Any

from hallmark.twin.cluster.schema import words
from hallmark.twin.cluster.schema.rules import names, pods
from hallmark.twin.cluster.schema.values import Json, dig

_STATEFUL = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)
_STATEFUL_FREE = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)
_LONGEST_CRON_JOB = 52
_CRON_FIELDS = 5
_CRON_FIELD = re.compile(r"(?:\*|\?|[0-9A-Za-z]+(?:-[0-9A-Za-z]+)?)(?:/\d+)?")
_CRON_MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")


def deployment(obj: Json, old: Json | None) -> Iterator[str]:
    """A deployment."""
    spec = obj.get("spec") or {}
    yield from _controller(obj, old, "deployment")
    yield from words.not_negative("spec.progressDeadlineSeconds", spec.get("progressDeadlineSeconds"))
    if (spec.get("progressDeadlineSeconds") or 600) <= (spec.get("minReadySeconds") or 0):
        why = "must be greater than minReadySeconds"
        yield words.invalid("spec.progressDeadlineSeconds", spec.get("progressDeadlineSeconds"), why)
    yield from _strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from _counts(obj.get("status") or {}, ("updatedReplicas", "availableReplicas", "readyReplicas"))


def replica_set(obj: Json, old: Json | None) -> Iterator[str]:
    """A replica set."""
    yield from _controller(obj, old, "replicaset")
    yield from _counts(obj.get("status") or {}, ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"))


def daemon_set(obj: Json, old: Json | None) -> Iterator[str]:
    """A daemon set."""
    yield from _controller(obj, old, "daemonset")


def stateful_set(obj: Json, old: Json | None) -> Iterator[str]:
    """A stateful set; of its spec, little can change."""
    yield from _controller(obj, None, "statefulset")
    if old is not None:
        before, after = (
            {key: each for key, each in (side.get("spec") or {}).items() if key not in _STATEFUL_FREE}
            for side in (old, obj)
        )
        if before != after:
            yield words.forbidden("spec", _STATEFUL)
    counts = ("readyReplicas", "currentReplicas", "updatedReplicas")
    yield from _counts(obj.get("status") or {}, counts)


def _controller(obj: Json, old: Json | None, word: str) -> Iterator[str]:
    """What all of them share: a selector that fits the template and stays, and a template that makes sense."""
    spec = obj.get("spec") or {}
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        yield from words.not_negative(f"spec.{field}", spec.get(field))
    selector, labels = spec.get("selector"), dig(spec, "template", "metadata", "labels") or {}
    if selector is None:
        yield words.required("spec.selector")
    else:
        yield from names.selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            yield words.invalid("spec.selector", selector, f"empty selector is invalid for {word}")
    if selector is not None and not selects(selector, labels):
        yield words.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    yield from pods.template(_with_claims(spec), "spec.template")
    policy = dig(spec, "template", "spec", "restartPolicy")
    if policy not in (None, "Always"):
        yield words.unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    if old is not None:
        yield from words.unchanged("spec.selector", selector, dig(old, "spec", "selector"))


def _with_claims(spec: Json) -> Json:
    """The template with the volumes that the claims of a stateful set will be."""
    claims = [{"name": dig(each, "metadata", "name"), "claim": {}} for each in spec.get("volumeClaimTemplates") or ()]
    template = spec.get("template") or {}
    if not claims:
        return template
    pod = template.get("spec") or {}
    given = {each["name"] for each in claims}
    volumes = [*(each for each in pod.get("volumes") or () if each.get("name") not in given), *claims]
    return {**template, "spec": {**pod, "volumes": volumes}}


def selects(selector: Json, labels: Json) -> bool:
    """Whether a selector selects something with these labels."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or ())


def _expression(each: Json, labels: Json) -> bool:
    key, values = str(each.get("key")), each.get("values") or ()
    match each.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _strategy(strategy: Json, path: str) -> Iterator[str]:
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling is not None:
        yield words.forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    if rolling is None or strategy.get("type") != "RollingUpdate":
        return
    for field in ("maxUnavailable", "maxSurge"):
        yield from int_or_percent(rolling.get(field), f"{path}.rollingUpdate.{field}")
    if _is_zero(rolling.get("maxUnavailable")) and _is_zero(rolling.get("maxSurge")):
        value = rolling["maxUnavailable"]
        yield words.invalid(f"{path}.rollingUpdate.maxUnavailable", value, "may not be 0 when `maxSurge` is 0")


def int_or_percent(value: Any, path: str) -> Iterator[str]:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        yield from (words.invalid(path, value, why) for why in names.percent(value))
    else:
        yield from words.not_negative(path, value)


def _is_zero(value: Any) -> bool:
    return value in (0, "0%")


def _counts(status: Json, fields: tuple[str, ...]) -> Iterator[str]:
    """No part of the replicas is more than all of them."""
    total = status.get("replicas", 0)
    for field in ("replicas", *fields):
        yield from words.not_negative(f"status.{field}", status.get(field))
    for field in fields:
        if status.get(field, 0) > total:
            yield words.invalid(f"status.{field}", status[field], "cannot be greater than status.replicas")
    if "availableReplicas" in fields and status.get("availableReplicas", 0) > status.get("readyReplicas", 0):
        yield words.invalid(
            "status.availableReplicas", status["availableReplicas"], "cannot be greater than readyReplicas"
        )


def job(obj: Json, old: Json | None) -> Iterator[str]:
    """A job; its template is what it was made with."""
    spec = obj.get("spec") or {}
    yield from _job_spec(spec, "spec")
    labels = dig(spec, "template", "metadata", "labels") or {}
    if spec.get("selector") is not None and not selects(spec["selector"], labels):
        yield words.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
    if old is not None:
        before = old.get("spec") or {}
        for field in ("selector", "template", "completionMode", "podFailurePolicy", "backoffLimitPerIndex"):
            if field == "template" and before.get("suspend"):
                continue  # the template of a job that rests may still be told where to run
            yield from words.unchanged(f"spec.{field}", spec.get(field), before.get(field))
        if spec.get("completionMode") != "Indexed":
            yield from words.unchanged("spec.completions", spec.get("completions"), before.get("completions"))


def cron_job(obj: Json, _: Json | None) -> Iterator[str]:
    """A cron job."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name") or ""
    if len(name) > _LONGEST_CRON_JOB:
        yield words.invalid("metadata.name", name, f"must be no more than {_LONGEST_CRON_JOB} characters")
    if spec.get("schedule"):
        yield from _schedule(spec["schedule"])
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from words.not_negative(f"spec.{field}", spec.get(field))
    yield from _job_spec(dig(spec, "jobTemplate", "spec") or {}, "spec.jobTemplate.spec")


def _job_spec(spec: Json, path: str) -> Iterator[str]:
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from words.not_negative(f"{path}.{field}", spec.get(field))
    yield from pods.template(spec.get("template"), f"{path}.template")
    policy = dig(spec, "template", "spec", "restartPolicy")
    if policy in (None, "Always"):
        yield words.required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')


def _schedule(text: str) -> Iterator[str]:
    fields = text.split()
    why = ""
    if text.startswith("@"):
        if text not in _CRON_MACROS and not re.fullmatch(r"@every [0-9hms.]+", text):
            why = f"unrecognized descriptor: {text}"
    elif "TZ" in text:
        why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    elif len(fields) != _CRON_FIELDS:
        why = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
    else:
        parts = [part for each in fields for part in each.split(",")]
        bad = next((part for part in parts if not _CRON_FIELD.fullmatch(part)), None)
        why = f"failed to parse int from {bad}" if bad is not None else _out_of_range(fields)
    if why:
        yield words.invalid("spec.schedule", text, why)


def _out_of_range(fields: list[str]) -> str:
    for each, (low, high) in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)), strict=True):
        for number in re.findall(r"(?<![/\d])\d+", each):
            if int(number) > high:
                return f"end of range ({number}) above maximum ({high}): {each}"
            if int(number) < low:
                return f"beginning of range ({number}) below minimum ({low}): {each}"
    return ""
