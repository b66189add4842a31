"""All views over one piece of evidence. A check names the ones it reads as parameters."""

from functools import cached_property

from hallmark.evidence.snapshot import Evidence
from hallmark.views.alarms import Alarms
from hallmark.views.cluster import Cluster
from hallmark.views.compute import Compute
from hallmark.views.controllers import Controllers
from hallmark.views.data import Data
from hallmark.views.diagnosis import Diagnosis
from hallmark.views.edge import Edge
from hallmark.views.identity import Identity
from hallmark.views.ingresses import Ingresses
from hallmark.views.logs import Logs
from hallmark.views.network import Network
from hallmark.views.nodes import Nodes
from hallmark.views.observability import Observability
from hallmark.views.platform import Platform
from hallmark.views.recovery import Recovery
from hallmark.views.release import Release
from hallmark.views.secrets import Secrets
from hallmark.views.storage import Storage
from hallmark.views.terraform import Terraform
from hallmark.views.volumes import Volumes
from hallmark.views.workloads import Workloads
from hallmark.views.workstation import Workstation


class Views:
    """The views, each made when first asked for.

    Args:
        evidence: Stored or growing evidence; the views keep what they derive from it.
    """

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def network(self) -> Network:
        """VPC, subnets, routes, security groups, interfaces."""
        return Network(self)

    @cached_property
    def compute(self) -> Compute:
        """EKS cluster, node groups, instance types, add-ons."""
        return Compute(self)

    @cached_property
    def data(self) -> Data:
        """PostgreSQL and Redis."""
        return Data(self)

    @cached_property
    def edge(self) -> Edge:
        """Ingress load balancer, listeners, certificates, web ACL, DNS."""
        return Edge(self)

    @cached_property
    def identity(self) -> Identity:
        """Roles of the cluster, trust and permissions."""
        return Identity(self)

    @cached_property
    def storage(self) -> Storage:
        """Buckets and secrets."""
        return Storage(self)

    @cached_property
    def observability(self) -> Observability:
        """Log groups, health checks, the age of what runs."""
        return Observability(self)

    @cached_property
    def alarms(self) -> Alarms:
        """Alarms that tell somebody."""
        return Alarms(self)

    @cached_property
    def terraform(self) -> Terraform:
        """The learner's Terraform files."""
        return Terraform(self)

    @cached_property
    def workstation(self) -> Workstation:
        """Tools, identity, quotas and offerings before anything is built."""
        return Workstation(self)

    @cached_property
    def cluster(self) -> Cluster:
        """What the Kubernetes API serves, and its objects."""
        return Cluster(self)

    @cached_property
    def release(self) -> Release:
        """The Helm release."""
        return Release(self)

    @cached_property
    def workloads(self) -> Workloads:
        """What runs of the release, and what its containers are told."""
        return Workloads(self)

    @cached_property
    def nodes(self) -> Nodes:
        """Nodes, their instances, and what pods ask of them."""
        return Nodes(self)

    @cached_property
    def volumes(self) -> Volumes:
        """ClickHouse's disk."""
        return Volumes(self)

    @cached_property
    def secrets(self) -> Secrets:
        """Facts about Secrets, and where they come from."""
        return Secrets(self)

    @cached_property
    def controllers(self) -> Controllers:
        """Autoscaler, metrics, log agents, gateways."""
        return Controllers(self)

    @cached_property
    def logs(self) -> Logs:
        """Log events of the application in CloudWatch."""
        return Logs(self)

    @cached_property
    def ingresses(self) -> Ingresses:
        """Ingress, Services, and the load balancer in front of them."""
        return Ingresses(self)

    @cached_property
    def platform(self) -> Platform:
        """The platform as its users meet it: TLS, authentication, traces that come back."""
        return Platform(self)

    @cached_property
    def recovery(self) -> Recovery:
        """Whether the platform has recovered, by nine signs."""
        return Recovery(self)

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """What the learner wrote down of an incident."""
        return Diagnosis(self)


NAMES = tuple(name for name, value in vars(Views).items() if isinstance(value, cached_property))
"""What a check may name as a parameter."""
