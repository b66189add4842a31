"""Where a cluster is reached: a real API server, if one stands for it."""

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.eks.responses import EKSResponse

from hallmark.twin.aws.extension.eks.common import cluster_of
from hallmark.twin.aws.extension.patching import Function, around
from hallmark.twin.aws.published import published


def install() -> None:
    """Answer DescribeCluster with the endpoint and the certificate authority that work."""
    around(EKSResponse, "describe_cluster")(_describe_cluster)


def _describe_cluster(original: Function, request: Any) -> Any:
    real = published(request.current_account)
    if real is None:
        return original(request)
    # A copy: a snapshot must not remember the address of one run.
    cluster = copy.copy(cluster_of(request))
    cluster.endpoint, cluster.certificate_authority = real.endpoint, {"data": real.ca}
    return ActionResult({"cluster": cluster})
