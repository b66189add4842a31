"""EKS: clusters as AWS describes them, and everything around them that moto does not have."""

from hallmark.twin.aws.extension.eks import (
    access,
    addons,
    clusters,
    endpoint,
    nodegroups,
    pod_auth,
    pod_identity,
    routes,
    tags,
    updates,
)


def install() -> None:
    """Change moto's EKS; before the first request, because the routes are read then."""
    for module in (clusters, endpoint, updates, nodegroups, addons, access, pod_identity, pod_auth, tags, routes):
        module.install()
