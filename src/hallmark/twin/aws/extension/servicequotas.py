"""Service Quotas: the limits the reference architecture runs into, with the values of a new account."""

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.resources.default_quotas.vpc import VPC_DEFAULT_QUOTAS
from moto.servicequotas.responses import ServiceQuotasResponse

from hallmark.twin.aws.extension.patching import Function, around, extend, parameter

SERVICES = {
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "ebs": "Amazon Elastic Block Store (Amazon EBS)",
    "eks": "Amazon Elastic Kubernetes Service (Amazon EKS)",
    "rds": "Amazon Relational Database Service (Amazon RDS)",
}
QUOTAS: dict[tuple[str, str], tuple[str, float]] = {
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 64.0),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5.0),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5.0),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", 5.0),
    ("elasticloadbalancing", "L-53DA6B97"): ("Application Load Balancers per Region", 50.0),
    ("ebs", "L-7A658B76"): ("Storage for General Purpose SSD (gp3) volumes, in TiB", 50.0),
    ("eks", "L-1194D53C"): ("Clusters", 100.0),
    ("rds", "L-7B6409FD"): ("DB instances", 40.0),
}
"""(service, quota code): name and value in an account that never asked for more.

Values: the endpoint and quota pages of the AWS General Reference. A new account's vCPU limit differs from account to
account; 64 is what an account with some history has.
"""


def install() -> None:
    """Replace the two operations moto has and add three."""
    around(ServiceQuotasBackend, "__init__")(_begin)
    extend(
        ServiceQuotasResponse,
        get_service_quota,
        get_aws_default_service_quota,
        list_service_quotas,
        list_aws_default_service_quotas,
        request_service_quota_increase,
    )


def _begin(original: Function, backend: Any, *args: Any, **kwargs: Any) -> None:
    original(backend, *args, **kwargs)
    backend.raised = {}


def _default(backend: Any, service: str, code: str) -> dict[str, Any]:
    if (service, code) in QUOTAS:
        name, value = QUOTAS[service, code]
        return _quota(backend, service, code, name, value)
    for quota in VPC_DEFAULT_QUOTAS if service == "vpc" else ():
        if quota["QuotaCode"] == code:
            return _quota(backend, service, code, str(quota["QuotaName"]), float(str(quota["Value"])))
    raise JsonRESTError("NoSuchResourceException", "The request failed because the specified quota does not exist.")


def _quota(backend: Any, service: str, code: str, name: str, value: float) -> dict[str, Any]:
    return {
        "ServiceCode": service,
        "ServiceName": SERVICES[service],
        "QuotaArn": f"arn:aws:servicequotas:{backend.region_name}:{backend.account_id}:{service}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


def _defaults(backend: Any, service: str) -> list[dict[str, Any]]:
    if service not in SERVICES:
        raise JsonRESTError(
            "NoSuchResourceException", "The request failed because the specified service does not exist."
        )
    codes = [code for owner, code in QUOTAS if owner == service]
    more = [str(quota["QuotaCode"]) for quota in VPC_DEFAULT_QUOTAS if service == "vpc"]
    return [_default(backend, service, code) for code in dict.fromkeys(codes + more)]


def _applied(backend: Any, quota: dict[str, Any]) -> dict[str, Any]:
    raised = backend.raised.get((quota["ServiceCode"], quota["QuotaCode"]))
    return quota | {"Value": raised or quota["Value"]}


def _asked(request: Any) -> dict[str, Any]:
    service, code = parameter(request, "ServiceCode"), parameter(request, "QuotaCode")
    return _default(request.backend, service, code)


def get_service_quota(request: Any) -> ActionResult:
    """GetServiceQuota: the value that applies to this account."""
    return ActionResult({"Quota": _applied(request.backend, _asked(request))})


def get_aws_default_service_quota(request: Any) -> ActionResult:
    """GetAWSDefaultServiceQuota."""
    return ActionResult({"Quota": _asked(request)})


def list_service_quotas(request: Any) -> ActionResult:
    """ListServiceQuotas of one service."""
    backend = request.backend
    quotas = _defaults(backend, parameter(request, "ServiceCode"))
    return ActionResult({"Quotas": [_applied(backend, quota) for quota in quotas]})


def list_aws_default_service_quotas(request: Any) -> ActionResult:
    """ListAWSDefaultServiceQuotas of one service."""
    return ActionResult({"Quotas": _defaults(request.backend, parameter(request, "ServiceCode"))})


def request_service_quota_increase(request: Any) -> ActionResult:
    """RequestServiceQuotaIncrease; here it is granted at once."""
    quota, wanted = _asked(request), float(parameter(request, "DesiredValue"))
    current = _applied(request.backend, quota)["Value"]
    if wanted <= current:
        message = f"You must provide a quota value greater than the current quota value of {current}."
        raise JsonRESTError("IllegalArgumentException", message)
    request.backend.raised[quota["ServiceCode"], quota["QuotaCode"]] = wanted
    about = {key: quota[key] for key in ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName", "QuotaArn")}
    requested = about | {"Id": "hallmark-twin", "DesiredValue": wanted, "Status": "APPROVED", "Unit": "None"}
    return ActionResult({"RequestedQuota": requested})
