"""The paths of the operations that moto's EKS does not route."""

from moto.eks import urls
from moto.eks.responses import EKSResponse

CLUSTER = "{0}/clusters/(?P<clusterName>[^/]+)"
ENTRY = f"{CLUSTER}/access-entries/(?P<principalArn>.+)"

PATHS = (
    "{0}/clusters/(?P<name>[^/]+)/updates$",
    "{0}/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$",
    "{0}/cluster-versions$",
    "{0}/addons/supported-versions$",
    f"{CLUSTER}/node-groups/(?P<nodegroupName>[^/]+)/update-version$",
    f"{CLUSTER}/addons$",
    f"{CLUSTER}/addons/(?P<addonName>[^/]+)$",
    f"{CLUSTER}/addons/(?P<addonName>[^/]+)/update$",
    f"{CLUSTER}/access-entries$",
    f"{ENTRY}/access-policies$",
    f"{ENTRY}/access-policies/(?P<policyArn>.+)$",
    f"{ENTRY}$",
    f"{CLUSTER}/pod-identity-associations$",
    f"{CLUSTER}/pod-identity-associations/(?P<associationId>[^/]+)$",
)


def install() -> None:
    """Add the paths; the more specific ones first, since an ARN may hold a slash."""
    urls.url_paths.update(dict.fromkeys(PATHS, EKSResponse.dispatch))
