"""ElastiCache: the nodes of a replication group, parameter groups, changes and deletions, and refusals."""

from hallmark.twin.aws.extension.elasticache import changes, members, parameter_groups, refusals


def install() -> None:
    """Change moto's ElastiCache."""
    parameter_groups.install()
    members.install()
    changes.install()
    refusals.install()
