"""What moto lacks for Terraform's provider, the labs and the graders: one module a service, each with ``install()``.

Two kinds of change, and no third: answers that AWS gives and moto does not, and refusals that AWS makes and moto
does not. A learner's mistake that AWS would refuse must not pass here.
"""

from functools import cache

from hallmark.twin.aws.extension import (
    accounts,
    acm,
    autoscaling,
    ec2,
    eks,
    elasticache,
    elbv2,
    logs,
    managed_policies,
    network_interfaces,
    permissions,
    rds,
    s3,
    secretsmanager,
    servicequotas,
    speed,
    sts,
    vpc_routes,
    wafv2,
)

MODULES = (
    accounts,
    acm,
    autoscaling,
    ec2,
    eks,
    elasticache,
    elbv2,
    logs,
    managed_policies,
    network_interfaces,
    permissions,
    rds,
    s3,
    secretsmanager,
    servicequotas,
    speed,
    sts,
    vpc_routes,
    wafv2,
)


@cache
def install() -> None:
    """Change moto, once in this process. To be called before the first request."""
    for module in MODULES:
        module.install()
