"""Accepted runs are gone without a trace when Redis is full: it evicts the queue.

People see nothing before: everything is green, and stays green. Once memory is full, writing goes on (202), reading
goes on, and what waited in the queue never appears. CloudWatch shows Evictions above 0 and
DatabaseMemoryUsagePercentage at its end; no log has an error. With noeviction the same load would be refused, which is
safe: clients know. The cache's size, token and network are untouched.

The fault sets maxmemory-policy in the cache's parameter group, which takes effect at once. Its inverse restores the
recorded value. What is evicted meanwhile is lost: that is the symptom.
"""

from typing import Any

from hallmark.errors import GuardRefused
from hallmark.faults import stores
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reader import Reader
from hallmark.model import Call

PARAMETER = "maxmemory-policy"


def plan(read: Reader, policy: str = "allkeys-lru") -> list[Step]:
    """Set the policy; the inverse sets the recorded one, or resets it where nobody had set one."""
    group = _group(read)
    recorded = _own(read, group).get(PARAMETER)
    which = {"group": group, "name": PARAMETER}
    step = Step(
        what=f"set {PARAMETER} {policy} instead of {recorded or 'the default'}",
        back=f"set {PARAMETER} {recorded or 'back to the default'}",
        resource=f"cache parameter group {group}",
        do=Call.of("elasticache", "set_cache_parameter", **which, value=policy),
        undo=Call.of("elasticache", "set_cache_parameter", **which, value=recorded),
    )
    return [step]


def observe(read: Reader, policy: str = "allkeys-lru") -> Observation:
    """Look whether the policy is that one, and at the cache and its other parameters."""
    group = _group(read)
    own = _own(read, group)
    others = {key: value for key, value in own.items() if key != PARAMETER}
    unaffected = {"the cache": stores.facts(stores.cache(read)), "its other parameters": others}
    return Observation(own.get(PARAMETER) == policy, unaffected)


def _group(read: Reader) -> str:
    cache = stores.cache(read)
    group = str(cache["node"]["CacheParameterGroup"]["CacheParameterGroupName"])
    if group.startswith("default."):
        hint = "Give it a parameter group of its own, as the reference does."
        raise GuardRefused(f"{cache['ReplicationGroupId']} has the parameter group {group}, which others share.", hint)
    clusters = read.ask("elasticache", "describe_cache_clusters")["CacheClusters"]
    used = {each.get("ReplicationGroupId") or each["CacheClusterId"] for each in clusters
            if each.get("CacheParameterGroup", {}).get("CacheParameterGroupName") == group}  # fmt: skip
    if others := used - {cache["ReplicationGroupId"]}:
        hint = "Give each cache a group of its own."
        raise GuardRefused(f"{min(others)} has the same parameter group {group}.", hint)
    return group


def _own(read: Reader, group: str) -> dict[str, Any]:
    found = read.ask("elasticache", "describe_cache_parameters", CacheParameterGroupName=group, Source="user")
    return {each["ParameterName"]: each.get("ParameterValue") for each in found["Parameters"]}
