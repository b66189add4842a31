"""What EKS does, and what its add-ons and the usual controllers do: one small controller a file.

Each add-on works only while a pod of its own is ready, and with the permissions of its own role (see
:mod:`hallmark.twin.controllers.aws.gate` and :mod:`hallmark.twin.controllers.aws.session`).
"""

from hallmark.twin.controllers.aws.addons import Addons
from hallmark.twin.controllers.aws.api_services import ApiServices
from hallmark.twin.controllers.aws.autoscaler import Autoscaler
from hallmark.twin.controllers.aws.cloud import Cloud
from hallmark.twin.controllers.aws.external_dns import ExternalDns
from hallmark.twin.controllers.aws.external_secrets.kinds import CLUSTER_STORES, STORES
from hallmark.twin.controllers.aws.external_secrets.secrets import ExternalSecrets
from hallmark.twin.controllers.aws.external_secrets.stores import Stores
from hallmark.twin.controllers.aws.identity_webhook import IdentityWebhook
from hallmark.twin.controllers.aws.load_balancer.ingresses import Ingresses
from hallmark.twin.controllers.aws.logs import Logs
from hallmark.twin.controllers.aws.metrics import MetricsServer
from hallmark.twin.controllers.aws.nodes import Nodes
from hallmark.twin.controllers.aws.service_balancers import ServiceBalancers
from hallmark.twin.controllers.aws.volumes import Attachments, Claims, Reclaiming
from hallmark.twin.controllers.settings import Settings
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.reconcile import Controller


def controllers(caches: Caches, settings: Settings) -> list[Controller]:
    """Make the controllers of this group.

    Args:
        caches: The cluster.
        settings: Where the emulated AWS is, and what the cluster is called there.
    """
    cloud = Cloud(caches, settings)
    edge: list[Controller] = [Ingresses(cloud), ServiceBalancers(cloud), ExternalDns(cloud)]
    secrets: list[Controller] = [Stores(cloud, STORES), Stores(cloud, CLUSTER_STORES), ExternalSecrets(cloud)]
    return [
        IdentityWebhook(cloud),
        *edge,
        *secrets,
        Nodes(cloud),
        Addons(cloud),
        Claims(cloud),
        Reclaiming(cloud),
        Attachments(cloud),
        Autoscaler(cloud),
        MetricsServer(cloud, settings.access.token),
        ApiServices(cloud),
        Logs(cloud, settings.state / "logs"),
    ]
