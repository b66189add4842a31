"""Parameter groups of caches, which moto does not have."""

import re
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

from hallmark.twin.aws.extension.patching import Function, around, extend, parameter, switch

FAMILIES = ("redis5.0", "redis6.x", "redis7", "valkey7", "valkey8", "memcached1.6")
"""Families a group can be made for (ElastiCache user guide, "Engine-specific parameters")."""


class CacheParameterGroupNotFound(ServiceException):
    """AWS's answer for a group that does not exist."""

    code = "CacheParameterGroupNotFound"


class CacheParameterGroupAlreadyExists(ServiceException):
    """AWS's answer for a name that is taken."""

    code = "CacheParameterGroupAlreadyExists"


def install() -> None:
    """Give every account its parameter groups, and the six operations on them."""
    around(ElastiCacheBackend, "__init__")(_begin)
    extend(
        ElastiCacheResponse,
        create_cache_parameter_group,
        describe_cache_parameter_groups,
        modify_cache_parameter_group,
        reset_cache_parameter_group,
        describe_cache_parameters,
        delete_cache_parameter_group,
    )


def groups_of(backend: Any) -> dict[str, dict[str, Any]]:
    """The groups of an account and region by name; ``Values`` holds the parameters that were set."""
    groups: dict[str, dict[str, Any]] = backend.parameter_groups
    return groups


def find(backend: Any, name: str) -> dict[str, Any]:
    """One group, own or default.

    Raises:
        CacheParameterGroupNotFound: There is none of this name.
    """
    own = groups_of(backend).get(name)
    if own:
        return own
    default = name.removeprefix("default.").removesuffix(".cluster.on")
    if name.startswith("default.") and default in FAMILIES:
        return _group(backend, name, default, f"Default parameter group for {default}")
    raise CacheParameterGroupNotFound(f"CacheParameterGroup {name} not found.")


def _begin(original: Function, backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.parameter_groups = {}
    kinds = "cluster|snapshot|subnetgroup|replicationgroup|user|usergroup|parametergroup"
    backend.arn_regex = re.compile(rf"^arn:aws:elasticache:.*:[0-9]*:({kinds}):.*$")


def _group(backend: Any, name: str, family: str, description: str) -> dict[str, Any]:
    return {
        "CacheParameterGroupName": name,
        "CacheParameterGroupFamily": family,
        "Description": description,
        "IsGlobal": False,
        "ARN": f"arn:aws:elasticache:{backend.region_name}:{backend.account_id}:parametergroup:{name}",
        "Values": {},
    }


def create_cache_parameter_group(request: Any) -> ActionResult:
    """CreateCacheParameterGroup."""
    backend, name = request.elasticache_backend, parameter(request, "CacheParameterGroupName")
    family = parameter(request, "CacheParameterGroupFamily")
    if name in groups_of(backend):
        raise CacheParameterGroupAlreadyExists(f"CacheParameterGroup {name} already exists.")
    if family not in FAMILIES:
        message = f"CacheParameterGroupFamily {family} is not a valid parameter group family."
        raise ServiceException("InvalidParameterValue", message)
    group = _group(backend, name, family, parameter(request, "Description"))
    groups_of(backend)[name] = group
    backend.tagging_service.tag_resource(group["ARN"], parameter(request, "Tags", []))
    return ActionResult({"CacheParameterGroup": group})


def describe_cache_parameter_groups(request: Any) -> ActionResult:
    """DescribeCacheParameterGroups, all of them or one by name."""
    backend, name = request.elasticache_backend, parameter(request, "CacheParameterGroupName")
    groups = [find(backend, name)] if name else list(groups_of(backend).values())
    return ActionResult({"CacheParameterGroups": groups})


def modify_cache_parameter_group(request: Any) -> ActionResult:
    """ModifyCacheParameterGroup."""
    group = _named(request)
    for pair in parameter(request, "ParameterNameValues", []):
        group["Values"][pair["ParameterName"]] = pair["ParameterValue"]
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


def reset_cache_parameter_group(request: Any) -> ActionResult:
    """ResetCacheParameterGroup, wholly or for the parameters named."""
    group = _named(request)
    if switch(request, "ResetAllParameters"):
        group["Values"].clear()
    for pair in parameter(request, "ParameterNameValues", []):
        group["Values"].pop(pair["ParameterName"], None)
    return ActionResult({"CacheParameterGroupName": group["CacheParameterGroupName"]})


def describe_cache_parameters(request: Any) -> ActionResult:
    """DescribeCacheParameters: those that were set; the defaults of a family are not reproduced."""
    parameters = [
        {
            "ParameterName": name,
            "ParameterValue": value,
            "Source": "user",
            "DataType": "string",
            "IsModifiable": True,
        }
        for name, value in _named(request)["Values"].items()
    ]
    return ActionResult({"Parameters": parameters})


def delete_cache_parameter_group(request: Any) -> ActionResult:
    """DeleteCacheParameterGroup."""
    group = _named(request)
    groups_of(request.elasticache_backend).pop(group["CacheParameterGroupName"], None)
    return EmptyResult()


def _named(request: Any) -> dict[str, Any]:
    return find(request.elasticache_backend, parameter(request, "CacheParameterGroupName"))
