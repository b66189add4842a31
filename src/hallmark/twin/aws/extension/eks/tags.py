"""Tags of everything EKS has; moto tags clusters only."""

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.common import not_found
from hallmark.twin.aws.extension.patching import extend, parameter


def install() -> None:
    """Replace the three operations."""
    extend(EKSResponse, tag_resource, untag_resource, list_tags_for_resource)


def _tags(request: Any) -> dict[str, str]:
    wanted = request._extract_arn_from_path()  # noqa: SLF001  (moto's own handlers call it)
    for cluster in request.eks_backend.clusters.values():
        for arn, tags in _tagged(cluster):
            if arn == wanted:
                return tags
    raise not_found("Resource was not found")


def _tagged(cluster: Any) -> Iterator[tuple[str, dict[str, str]]]:
    yield cluster.arn, cluster.tags
    yield from ((group.arn, group.tags) for group in cluster.nodegroups.values())
    yield from ((one["addonArn"], one["tags"]) for one in cluster.addons.values())
    yield from ((one["accessEntryArn"], one["tags"]) for one in cluster.access_entries.values())
    yield from ((one["associationArn"], one["tags"]) for one in cluster.pod_identities.values())


def tag_resource(request: Any) -> ActionResult:
    """TagResource."""
    _tags(request).update(parameter(request, "tags"))
    return EmptyResult()


def untag_resource(request: Any) -> ActionResult:
    """UntagResource."""
    keys, tags = parameter(request, "tagKeys"), _tags(request)
    for key in [keys] if isinstance(keys, str) else keys:
        tags.pop(key, None)
    return EmptyResult()


def list_tags_for_resource(request: Any) -> ActionResult:
    """ListTagsForResource."""
    return ActionResult({"tags": _tags(request)})
