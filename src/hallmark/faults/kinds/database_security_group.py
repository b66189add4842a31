"""Every connection from the nodes to PostgreSQL times out.

Sign-in and almost every API call fail: backend and platform-backend log timeouts, not refusals and not failed
passwords. RDS says the database is available. Redis, ClickHouse and S3 are untouched. A security group does not cut
connections that are already tracked: people see nothing of the fault until a pod is restarted (sharp edge SE-39).

The fault revokes, rule by rule, what lets the nodes reach the database's port. AWS gives a restored rule a new id.
"""

from typing import Any

from hallmark.errors import Absent, GuardRefused
from hallmark.faults.journal import Step
from hallmark.faults.kinds import Observation
from hallmark.faults.reach import admits, ingress, nodes, revoking, words_of
from hallmark.faults.reader import Reader


def plan(read: Reader) -> list[Step]:
    """Revoke each rule that admits the nodes; the inverse authorizes the same rule, peer, description and tags."""
    sender = nodes(read)
    steps: dict[str, Step] = {}
    for database in _databases(read, sender.vpc):
        if shared := sender.groups & set(database["groups"]):
            hint = "Give the database a security group of its own."
            raise GuardRefused(f"{database['id']} shares {min(shared)} with the nodes.", hint)
        rules = [rule for rule in ingress(read, database["groups"]) if admits(rule, sender, database["port"])]
        steps |= {rule["SecurityGroupRuleId"]: revoking(rule, database["id"]) for rule in rules}
    return list(steps.values())


def observe(read: Reader) -> Observation:
    """Look whether any node reaches any database, and at everything else that talks to a data store."""
    sender = nodes(read)
    databases = _databases(read, sender.vpc)
    rules = {each["id"]: ingress(read, each["groups"]) for each in databases}
    open_ = {each["id"]: [r for r in rules[each["id"]] if admits(r, sender, each["port"])] for each in databases}
    others = {name: sorted(words_of(r) for r in rules[name] if r not in open_[name]) for name in rules}
    unaffected = {
        "the databases": databases,
        "other rules of the databases": others,
        "the rules of the caches": _caches(read),
        "routes": _routes(read, sender.vpc),
    }
    return Observation(not any(open_.values()), unaffected)


def _databases(read: Reader, vpc: str) -> list[dict[str, Any]]:
    """PostgreSQL instances of the VPC (members of an Aurora cluster among them), as far as they matter here."""
    wanted = read.scope.get("postgres")
    found = [
        {
            "id": each["DBInstanceIdentifier"],
            "status": each["DBInstanceStatus"],
            "public": each["PubliclyAccessible"],
            "port": each["Endpoint"]["Port"],
            "groups": sorted(group["VpcSecurityGroupId"] for group in each["VpcSecurityGroups"]),
        }
        for each in read.ask("rds", "describe_db_instances")["DBInstances"]
        if "postgres" in each["Engine"]
        and "Endpoint" in each  # a database that is being made has none yet
        and each.get("DBSubnetGroup", {}).get("VpcId") == vpc
        and wanted in (None, "", each["DBInstanceIdentifier"], each.get("DBClusterIdentifier"))
    ]
    if not found:
        raise Absent(f"{vpc} holds no PostgreSQL database")
    return sorted(found, key=lambda each: str(each["id"]))


def _caches(read: Reader) -> dict[str, list[str]]:
    """Ingress rules in front of each cache: a rule that it shares with the database would cut off both."""
    caches = read.ask("elasticache", "describe_cache_clusters")["CacheClusters"]
    groups = {each["CacheClusterId"]: [g["SecurityGroupId"] for g in each.get("SecurityGroups", [])] for each in caches}
    return {name: sorted(map(words_of, ingress(read, held))) for name, held in groups.items() if held}


def _routes(read: Reader, vpc: str) -> list[Any]:
    """Routes of the VPC's tables, in an order of their own."""
    ours = [{"Name": "vpc-id", "Values": [vpc]}]
    tables = read.ask("ec2", "describe_route_tables", Filters=ours)["RouteTables"]
    return sorted(([table["RouteTableId"], table["Routes"]] for table in tables), key=lambda pair: str(pair[0]))
