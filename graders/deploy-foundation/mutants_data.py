"""What can be wrong with PostgreSQL and Redis, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

POSTGRES, REDIS = 5432, 6379
LIST = "pl-0ffffffffffffffff"


def _databases(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("rds", "describe_db_instances", "DBInstances")


def _replication(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("elasticache", "describe_replication_groups", "ReplicationGroups")


def _nodes(edit: Edit) -> Iterator[dict[str, Any]]:
    return edit.each("elasticache", "describe_cache_clusters", "CacheClusters")


def _public_subnet(edit: Edit) -> str:
    zones = edit.each("elbv2", "describe_load_balancers", "LoadBalancers.AvailabilityZones")
    return str(next(zones)["SubnetId"])


def _rules(edit: Edit, port: int) -> Iterator[dict[str, Any]]:
    """Ingress rules for *port* in the security groups of the store that listens there."""
    stores = _databases(edit) if port == POSTGRES else _nodes(edit)
    names = ("VpcSecurityGroups", "VpcSecurityGroupId") if port == POSTGRES else ("SecurityGroups", "SecurityGroupId")
    own = {group[names[1]] for store in stores for group in store[names[0]]}
    groups = edit.each("ec2", "describe_security_groups", "SecurityGroups")
    return (rule for group in groups if group["GroupId"] in own for rule in group["IpPermissions"])


def _admit(edit: Edit, port: int, **sources: Any) -> None:
    """Replace the sources of all rules for *port*."""
    empty: dict[str, Any] = {"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []}
    for rule in _rules(edit, port):
        rule.update(empty | sources)


def _list_of(edit: Edit, *ranges: str) -> None:
    """Have a prefix list that holds *ranges*."""
    entries = [{"Cidr": each} for each in ranges]
    edit.put(Call.of("ec2", "get_managed_prefix_list_entries", PrefixListId=LIST), {"Entries": entries})


def _admit_also(edit: Edit, port: int, kind: str, source: dict[str, Any]) -> None:
    next(_rules(edit, port)).setdefault(kind, []).append(source)


def _users(edit: Edit, *users: tuple[str, str, str]) -> None:
    """Have a group of users in place of the token: name, how each proves who it is, whether it is switched on."""
    for group in _replication(edit):
        group["AuthTokenEnabled"], group["UserGroupIds"] = False, ["team"]
    found = [
        {"UserId": name, "Authentication": {"Type": kind}, "AccessString": f"{on} ~* +@all", "UserGroupIds": ["team"]}
        for name, kind, on in users
    ]
    edit.put(Call.of("elasticache", "describe_users"), {"Users": found})


@mutant(breaks=["postgres_found"])
def no_database(edit: Edit) -> None:
    """There is no database."""
    for answer in edit.answers("rds", "describe_db_instances"):
        answer["DBInstances"] = []


@mutant(breaks=["postgres_found"])
def database_is_mysql(edit: Edit) -> None:
    """The only database is MySQL."""
    for database in _databases(edit):
        database["Engine"] = "mysql"


@mutant(breaks=["postgres_found"])
def database_is_stopped(edit: Edit) -> None:
    """The database is stopped."""
    for database in _databases(edit):
        database["DBInstanceStatus"] = "stopped"


@mutant(breaks=["postgres_found"])
def database_is_being_made(edit: Edit) -> None:
    """The database has no endpoint yet."""
    for database in _databases(edit):
        database["DBInstanceStatus"] = "creating"
        del database["Endpoint"]


@mutant(breaks=["postgres_found"])
def database_is_only_a_replica(edit: Edit) -> None:
    """The only database in the VPC copies another one and takes no writes."""
    for database in _databases(edit):
        database["ReadReplicaSourceDBInstanceIdentifier"] = "elsewhere"


@mutant(breaks=["postgres_found"])
def database_in_another_vpc(edit: Edit) -> None:
    """The only database stands in another VPC."""
    for group in edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["VpcId"] = "vpc-0ffffffffffffffff"


@mutant(breaks=["postgres_found"])
def named_database_does_not_exist(edit: Edit) -> None:
    """The target names a database that does not exist."""
    edit.scope["postgres"] = "no-such-database"


@mutant(breaks=())
def database_is_backed_up_right_now(edit: Edit) -> None:
    """During its backup the database serves as always."""
    for database in _databases(edit):
        database["DBInstanceStatus"] = "backing-up"


@mutant(breaks=())
def database_is_multi_az(edit: Edit) -> None:
    """A standby in a second zone is more than is asked for."""
    for database in _databases(edit):
        database["MultiAZ"] = True


@mutant(breaks=())
def database_is_aurora(edit: Edit) -> None:
    """Aurora PostgreSQL in place of RDS: a cluster, and the instance in it."""
    for instance in _databases(edit):
        instance |= {"Engine": "aurora-postgresql", "DBClusterIdentifier": "aurora"}
        cluster = {
            "DBClusterIdentifier": "aurora",
            "DBClusterArn": "arn:aws:rds:us-east-1:111122223333:cluster:aurora",
            "Status": "available",
            "Port": POSTGRES,
            "DBSubnetGroup": instance["DBSubnetGroup"]["DBSubnetGroupName"],
        }
        same = ("Engine", "EngineVersion", "BackupRetentionPeriod", "LatestRestorableTime", "StorageEncrypted")
        cluster |= {name: instance[name] for name in (*same, "VpcSecurityGroups")}
        edit.answers("rds", "describe_db_clusters")[0]["DBClusters"] = [cluster]


@mutant(breaks=())
def database_has_a_replica(edit: Edit) -> None:
    """A read replica makes no backups of its own."""
    own = next(_databases(edit))
    replica = own | {
        "DBInstanceIdentifier": "replica",
        "ReadReplicaSourceDBInstanceIdentifier": own["DBInstanceIdentifier"],
        "BackupRetentionPeriod": 0,
    }
    edit.answers("rds", "describe_db_instances")[0]["DBInstances"].append(replica)


@mutant(breaks=())
def another_database_in_another_vpc(edit: Edit) -> None:
    """A database elsewhere, however bad, is not the platform's."""
    places = edit.answers("rds", "describe_db_subnet_groups")[0]["DBSubnetGroups"]
    places.append(places[0] | {"DBSubnetGroupName": "other", "VpcId": "vpc-0ffffffffffffffff"})
    other = next(_databases(edit)) | {"DBInstanceIdentifier": "other", "DBSubnetGroup": {"DBSubnetGroupName": "other"}}
    other |= {"PubliclyAccessible": True, "StorageEncrypted": False, "EngineVersion": "11.1"}
    edit.answers("rds", "describe_db_instances")[0]["DBInstances"].append(other)


@mutant(breaks=["postgres_version"])
def database_is_too_old(edit: Edit) -> None:
    """PostgreSQL is version 13."""
    for database in _databases(edit):
        database["EngineVersion"] = "13.22"


@mutant(breaks=())
def database_is_just_new_enough(edit: Edit) -> None:
    """PostgreSQL is version 14."""
    for database in _databases(edit):
        database["EngineVersion"] = "14.19"


@mutant(breaks=["postgres_backups"])
def backups_are_off(edit: Edit) -> None:
    """Automated backups are switched off."""
    for database in _databases(edit):
        database["BackupRetentionPeriod"] = 0


@mutant(breaks=["postgres_backups"])
def backups_restore_nothing(edit: Edit) -> None:
    """Backups are configured, but there is no time to restore to."""
    for database in _databases(edit):
        del database["LatestRestorableTime"]


@mutant(breaks=())
def backups_are_kept_for_a_day(edit: Edit) -> None:
    """One day is what is asked for."""
    for database in _databases(edit):
        database["BackupRetentionPeriod"] = 1


@mutant(breaks=["postgres_encrypted"])
def database_is_not_encrypted(edit: Edit) -> None:
    """The storage is not encrypted."""
    for database in _databases(edit):
        database["StorageEncrypted"] = False


@mutant(breaks=["postgres_not_public"])
def database_is_public(edit: Edit) -> None:
    """The database is publicly accessible."""
    for database in _databases(edit):
        database["PubliclyAccessible"] = True


@mutant(breaks=["postgres_private_subnets"])
def database_may_move_to_a_public_subnet(edit: Edit) -> None:
    """The subnet group holds a public subnet beside private ones."""
    group = next(edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups"))
    group["Subnets"].append({"SubnetIdentifier": _public_subnet(edit)})


@mutant(breaks=["postgres_private_subnets"])
def database_has_no_subnet(edit: Edit) -> None:
    """An empty subnet group proves nothing."""
    for group in edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["Subnets"] = []


@mutant(breaks=["postgres_admits_inside"])
def database_admits_everybody(edit: Edit) -> None:
    """The security group lets everybody in, besides the nodes."""
    _admit_also(edit, POSTGRES, "IpRanges", {"CidrIp": "0.0.0.0/0"})


@mutant(breaks=["postgres_admits_inside"])
def database_admits_everybody_by_ipv6(edit: Edit) -> None:
    """The security group lets everybody in by IPv6."""
    _admit_also(edit, POSTGRES, "Ipv6Ranges", {"CidrIpv6": "::/0"})


@mutant(breaks=["postgres_admits_inside"])
def database_admits_an_office(edit: Edit) -> None:
    """The security group lets one public address in."""
    _admit_also(edit, POSTGRES, "IpRanges", {"CidrIp": "198.51.100.7/32"})


@mutant(breaks=["postgres_admits_inside"])
def database_admits_more_than_the_vpc(edit: Edit) -> None:
    """The range is one bit wider than the VPC."""
    _admit_also(edit, POSTGRES, "IpRanges", {"CidrIp": "10.0.0.0/15"})


@mutant(breaks=["postgres_admits_inside"])
def database_admits_a_prefix_list_with_an_office(edit: Edit) -> None:
    """One of the ranges that the list holds is outside."""
    _list_of(edit, "10.0.0.0/16", "198.51.100.0/24")
    _admit_also(edit, POSTGRES, "PrefixListIds", {"PrefixListId": LIST})


@mutant(breaks=())
def database_admits_a_prefix_list_with_the_vpc(edit: Edit) -> None:
    """The list holds addresses of the VPC and no others; the rule says nothing else."""
    vpcs = edit.each("ec2", "describe_vpcs", "Vpcs")
    _list_of(edit, *(each["CidrBlock"] for vpc in vpcs for each in vpc["CidrBlockAssociationSet"]))
    for rule in _rules(edit, POSTGRES):
        rule["UserIdGroupPairs"], rule["PrefixListIds"] = [], [{"PrefixListId": LIST}]


@mutant(breaks=["postgres_reachable"])
def database_admits_an_empty_prefix_list(edit: Edit) -> None:
    """A list that holds nothing lets nobody in."""
    _list_of(edit)
    for rule in _rules(edit, POSTGRES):
        rule["UserIdGroupPairs"], rule["PrefixListIds"] = [], [{"PrefixListId": LIST}]


@mutant(breaks=["postgres_admits_inside"])
def database_admits_a_group_of_another_vpc(edit: Edit) -> None:
    """The source is a security group on the other side of a peering."""
    peer = {"GroupId": "sg-0ffffffffffffffff", "VpcPeeringConnectionId": "pcx-1", "VpcId": "vpc-0ffffffffffffffff"}
    _admit_also(edit, POSTGRES, "UserIdGroupPairs", peer)


@mutant(breaks=["postgres_admits_inside"])
def database_admits_everybody_on_all_ports(edit: Edit) -> None:
    """A rule for all protocols covers the port too."""
    for rule in _rules(edit, POSTGRES):
        rule["IpProtocol"] = "-1"
        rule.pop("FromPort", None)
        rule.pop("ToPort", None)
        rule["IpRanges"] = [{"CidrIp": "0.0.0.0/0"}]


@mutant(breaks=["postgres_admits_inside", "postgres_reachable"])
def database_has_no_security_group(edit: Edit) -> None:
    """Without a group nothing is known of who may connect."""
    for database in _databases(edit):
        database["VpcSecurityGroups"] = []


@mutant(breaks=["postgres_reachable"])
def database_admits_nobody(edit: Edit) -> None:
    """The rule that let the nodes in is gone."""
    _admit(edit, POSTGRES)


@mutant(breaks=["postgres_reachable"])
def database_rule_is_for_the_wrong_port(edit: Edit) -> None:
    """The rule ends one port before PostgreSQL's."""
    for rule in _rules(edit, POSTGRES):
        rule["FromPort"], rule["ToPort"] = 5000, 5431


@mutant(breaks=["postgres_reachable"])
def database_rule_is_for_udp(edit: Edit) -> None:
    """The rule is for another protocol."""
    for rule in _rules(edit, POSTGRES):
        rule["IpProtocol"] = "udp"


@mutant(breaks=["postgres_reachable"])
def database_admits_another_group_only(edit: Edit) -> None:
    """The rule names a group that no node has."""
    groups = edit.each("elbv2", "describe_load_balancers", "LoadBalancers")
    _admit(edit, POSTGRES, UserIdGroupPairs=[{"GroupId": next(groups)["SecurityGroups"][0]}])


@mutant(breaks=["postgres_reachable"])
def database_admits_half_a_subnet(edit: Edit) -> None:
    """Nodes in the other half of their subnet cannot connect."""
    _admit(edit, POSTGRES, IpRanges=[{"CidrIp": "10.0.0.0/28"}])


@mutant(breaks=())
def database_admits_the_vpc(edit: Edit) -> None:
    """The VPC's addresses are inside; a security group would be tighter."""
    _admit(edit, POSTGRES, IpRanges=[{"CidrIp": "10.0.0.0/16"}])


@mutant(breaks=())
def database_group_has_a_rule_for_another_port(edit: Edit) -> None:
    """Nothing listens on that port: the database cannot be reached by it."""
    own = next(_databases(edit))["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] == own:
            rule = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
            group["IpPermissions"].append(rule)


@mutant(breaks=["redis_found"])
def no_cache(edit: Edit) -> None:
    """There is no cache."""
    edit.answers("elasticache", "describe_replication_groups")[0]["ReplicationGroups"] = []
    edit.answers("elasticache", "describe_cache_clusters")[0]["CacheClusters"] = []


@mutant(breaks=["redis_found"])
def cache_is_memcached(edit: Edit) -> None:
    """The only cache is Memcached."""
    for node in _nodes(edit):
        node["Engine"] = "memcached"


@mutant(breaks=["redis_found"])
def cache_is_being_deleted(edit: Edit) -> None:
    """The cache is on its way out."""
    for group in _replication(edit):
        group["Status"] = "deleting"


@mutant(breaks=["redis_found"])
def cache_is_being_made(edit: Edit) -> None:
    """The cache has no endpoint yet."""
    for group in _replication(edit):
        group["Status"], group["NodeGroups"] = "creating", []


@mutant(breaks=["redis_found"])
def cache_in_another_vpc(edit: Edit) -> None:
    """The only cache stands in another VPC."""
    for group in edit.each("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"):
        group["VpcId"] = "vpc-0ffffffffffffffff"


@mutant(breaks=["redis_found"])
def named_cache_does_not_exist(edit: Edit) -> None:
    """The target names a cache that does not exist."""
    edit.scope["redis"] = "no-such-cache"


@mutant(breaks=())
def cache_is_valkey(edit: Edit) -> None:
    """Valkey passes with a remark (D6)."""
    for node in _nodes(edit):
        node["Engine"] = "valkey"


@mutant(breaks=())
def cache_is_making_a_snapshot(edit: Edit) -> None:
    """During a snapshot the cache serves as always."""
    for group in _replication(edit):
        group["Status"] = "snapshotting"


@mutant(breaks=())
def cache_is_in_cluster_mode(edit: Edit) -> None:
    """In cluster mode there is one endpoint for all shards."""
    for group in _replication(edit):
        group["ClusterEnabled"], group["ConfigurationEndpoint"] = True, {"Address": "clustercfg.x", "Port": REDIS}
        for shard in group["NodeGroups"]:
            del shard["PrimaryEndpoint"]


@mutant(breaks=())
def cache_is_a_single_cluster(edit: Edit) -> None:
    """A cache cluster without replication group: a single node is acceptable."""
    edit.answers("elasticache", "describe_replication_groups")[0]["ReplicationGroups"] = []
    for node in _nodes(edit):
        del node["ReplicationGroupId"]
        node["CacheNodes"] = [{"CacheNodeId": "0001", "Endpoint": {"Address": "x", "Port": REDIS}}]


@mutant(breaks=["redis_private_subnets"])
def cache_may_move_to_a_public_subnet(edit: Edit) -> None:
    """The subnet group holds a public subnet beside private ones."""
    group = next(edit.each("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"))
    group["Subnets"].append({"SubnetIdentifier": _public_subnet(edit)})


@mutant(breaks=["redis_private_subnets"])
def cache_has_no_subnet(edit: Edit) -> None:
    """An empty subnet group proves nothing."""
    for group in edit.each("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups"):
        group["Subnets"] = []


@mutant(breaks=["redis_admits_inside"])
def cache_admits_everybody(edit: Edit) -> None:
    """The security group lets everybody in, besides the nodes."""
    _admit_also(edit, REDIS, "IpRanges", {"CidrIp": "0.0.0.0/0"})


@mutant(breaks=["redis_admits_inside", "redis_reachable"])
def cache_has_no_security_group(edit: Edit) -> None:
    """Without a group nothing is known of who may connect."""
    for node in _nodes(edit):
        node["SecurityGroups"] = []


@mutant(breaks=["redis_reachable"])
def cache_admits_nobody(edit: Edit) -> None:
    """The rule that let the nodes in is gone."""
    _admit(edit, REDIS)


@mutant(breaks=["redis_snapshots"])
def snapshots_are_off(edit: Edit) -> None:
    """The cache keeps no snapshots."""
    for group in _replication(edit):
        group["SnapshotRetentionLimit"] = 0


@mutant(breaks=())
def snapshots_are_kept_for_a_day(edit: Edit) -> None:
    """One day is what is asked for."""
    for group in _replication(edit):
        group["SnapshotRetentionLimit"] = 1


@mutant(breaks=["redis_tls"])
def cache_speaks_plainly(edit: Edit) -> None:
    """The cache has no TLS."""
    for group in _replication(edit):
        group["TransitEncryptionEnabled"] = False


@mutant(breaks=["redis_tls"])
def cache_only_prefers_tls(edit: Edit) -> None:
    """The cache takes plain connections too."""
    for group in _replication(edit):
        group["TransitEncryptionMode"] = "preferred"


@mutant(breaks=["redis_token"])
def cache_asks_for_no_token(edit: Edit) -> None:
    """The cache asks for no token."""
    for group in _replication(edit):
        group["AuthTokenEnabled"] = False


@mutant(breaks=())
def cache_knows_its_users(edit: Edit) -> None:
    """Users have passwords or IAM; the default one is switched off, and one without a password is of other caches."""
    users = [("app", "password", "on"), ("job", "iam", "on"), ("default", "no-password", "off")]
    _users(edit, *users)
    others = {"UserId": "open", "Authentication": {"Type": "no-password"}, "AccessString": "on ~* +@all"}
    for answer in edit.answers("elasticache", "describe_users"):
        answer["Users"].append(others | {"UserGroupIds": ["others"]})


@mutant(breaks=["redis_token"])
def cache_has_a_user_without_a_password(edit: Edit) -> None:
    """The default user needs no password, as AWS makes it."""
    _users(edit, ("app", "password", "on"), ("default", "no-password", "on"))
