"""One change at a time to the recovered system, and to what the learner wrote down."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant
from hallmark.model import Call

AFTER = ["only_nodes_reach_database", "only_the_database_port_is_open", "cause_is_removed", "database_is_kept"]
REACH = ["nodes_reach_database", *AFTER]


def databases(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the database instances."""
    yield from edit.each("rds", "describe_db_instances", "DBInstances")


def rules(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the ingress rules of the database's security groups."""
    ours = {group["VpcSecurityGroupId"] for each in databases(edit) for group in each["VpcSecurityGroups"]}
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] in ours:
            yield from group["IpPermissions"]


def written(edit: Edit, table: str) -> Iterator[dict[str, Any]]:
    """Yield a table of the learner's file."""
    yield from edit.each("files", "table", table)


@mutant(breaks=[*REACH, "evidence_is_collected"])
def database_is_gone(edit: Edit) -> None:
    """There is no database."""
    for answer in edit.answers("rds", "describe_db_instances"):
        answer["DBInstances"] = []


@mutant(breaks=[*REACH, "evidence_is_collected"])
def database_is_stopped(edit: Edit) -> None:
    """The database is stopped."""
    for each in databases(edit):
        each["DBInstanceStatus"] = "stopped"


@mutant(breaks=REACH)
def nodes_are_gone(edit: Edit) -> None:
    """The cluster has no node left."""
    for answer in edit.answers("ec2", "describe_instances"):
        answer["Reservations"] = []


@mutant(breaks=REACH)
def network_acl_is_closed(edit: Edit) -> None:
    """The rule is back, and a network ACL stops whatever crosses a subnet's border."""
    for acl in edit.each("ec2", "describe_network_acls", "NetworkAcls"):
        acl["Entries"] = []


@mutant(breaks=REACH)
def rule_is_gone(edit: Edit) -> None:
    """The security group has no rule."""
    ours = {group["VpcSecurityGroupId"] for each in databases(edit) for group in each["VpcSecurityGroups"]}
    for group in edit.each("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupId"] in ours:
            group["IpPermissions"] = []


@mutant(breaks=REACH)
def rule_is_for_udp(edit: Edit) -> None:
    """The rule admits UDP."""
    for rule in rules(edit):
        rule["IpProtocol"] = "udp"


@mutant(breaks=REACH)
def rule_ends_one_port_below(edit: Edit) -> None:
    """The rule ends at the port before."""
    for rule in rules(edit):
        rule |= {"FromPort": 5000, "ToPort": 5431}


@mutant(breaks=REACH)
def rule_begins_one_port_above(edit: Edit) -> None:
    """The rule begins at the port after."""
    for rule in rules(edit):
        rule |= {"FromPort": 5433, "ToPort": 6000}


@mutant(breaks=["only_the_database_port_is_open"])
def one_port_more_is_open(edit: Edit) -> None:
    """The rule covers the port after, too."""
    for rule in rules(edit):
        rule["ToPort"] = 5433


@mutant(breaks=["only_the_database_port_is_open"])
def everything_is_open_to_the_nodes(edit: Edit) -> None:
    """The rule is for all protocols."""
    for rule in rules(edit):
        rule["IpProtocol"] = "-1"
        del rule["FromPort"], rule["ToPort"]


@mutant(breaks=REACH)
def rule_names_another_group(edit: Edit) -> None:
    """The source is a security group no node is in."""
    for rule in rules(edit):
        rule["UserIdGroupPairs"] = [{"GroupId": "sg-0123456789abcdef0"}]


@mutant(breaks=["only_nodes_reach_database"])
def another_group_is_admitted_too(edit: Edit) -> None:
    """A security group no node is in is admitted beside the nodes."""
    for rule in rules(edit):
        rule["UserIdGroupPairs"].append({"GroupId": "sg-0123456789abcdef0"})


@mutant(breaks=["only_nodes_reach_database"])
def everybody_is_admitted(edit: Edit) -> None:
    """The port is open to the internet."""
    for rule in rules(edit):
        rule["IpRanges"] = [{"CidrIp": "0.0.0.0/0"}]


@mutant(breaks=["only_nodes_reach_database"])
def everybody_with_ipv6_is_admitted(edit: Edit) -> None:
    """The port is open to the internet of IPv6."""
    for rule in rules(edit):
        rule["Ipv6Ranges"] = [{"CidrIpv6": "::/0"}]


@mutant(breaks=["only_nodes_reach_database"])
def an_office_is_admitted(edit: Edit) -> None:
    """Addresses outside the VPC are admitted."""
    for rule in rules(edit):
        rule["IpRanges"] = [{"CidrIp": "203.0.113.7/32"}]


@mutant(breaks=["only_nodes_reach_database"])
def a_prefix_list_is_admitted(edit: Edit) -> None:
    """A prefix list is admitted that holds addresses outside the VPC."""
    name = "pl-0123456789abcdef0"
    call = Call.of("ec2", "get_managed_prefix_list_entries", PrefixListId=name)
    edit.put(call, {"Entries": [{"Cidr": "203.0.113.0/24"}]})
    for rule in rules(edit):
        rule["PrefixListIds"] = [{"PrefixListId": name}]


@mutant(breaks=["only_nodes_reach_database"])
def the_vpc_is_admitted(edit: Edit) -> None:
    """The whole VPC is admitted, public subnets among it."""
    (vpc,) = {each["CidrBlock"] for each in edit.each("ec2", "describe_vpcs", "Vpcs")}
    for rule in rules(edit):
        rule["IpRanges"] = [{"CidrIp": vpc}]


@mutant(breaks=["cause_is_removed"])
def a_broken_group_is_left(edit: Edit) -> None:
    """A second security group of the database admits nobody."""
    for answer in edit.answers("ec2", "describe_security_groups"):
        empty = {**answer["SecurityGroups"][0], "GroupId": "sg-0123456789abcdef1", "IpPermissions": []}
        answer["SecurityGroups"].append(empty)
    for each in databases(edit):
        each["VpcSecurityGroups"].append({"VpcSecurityGroupId": "sg-0123456789abcdef1", "Status": "active"})


@mutant(breaks=["database_is_kept"])
def database_is_public(edit: Edit) -> None:
    """The database has a public address."""
    for each in databases(edit):
        each["PubliclyAccessible"] = True


@mutant(breaks=["database_is_kept"])
def database_is_not_encrypted(edit: Edit) -> None:
    """The storage is not encrypted: another database than before."""
    for each in databases(edit):
        each["StorageEncrypted"] = False


@mutant(breaks=["database_is_kept"])
def backups_are_off(edit: Edit) -> None:
    """No automated backups are kept."""
    for each in databases(edit):
        each["BackupRetentionPeriod"] = 0


@mutant(breaks=["database_is_kept"])
def database_is_in_a_public_subnet(edit: Edit) -> None:
    """One subnet of the database's group has a route to the internet gateway."""
    public = {
        association["SubnetId"]
        for table in edit.each("ec2", "describe_route_tables", "RouteTables")
        if any(str(route.get("GatewayId", "")).startswith("igw-") for route in table["Routes"])
        for association in table["Associations"]
        if "SubnetId" in association
    }
    for group in edit.each("rds", "describe_db_subnet_groups", "DBSubnetGroups"):
        group["Subnets"][0]["SubnetIdentifier"] = min(public)


@mutant(breaks=())
def nodes_are_admitted_by_address_too(edit: Edit) -> None:
    """The subnets of the nodes are admitted beside their security group."""
    wanted = {instance["SubnetId"] for instance in edit.each("ec2", "describe_instances", "Reservations.Instances")}
    subnets = edit.each("ec2", "describe_subnets", "Subnets")
    ranges = [{"CidrIp": subnet["CidrBlock"]} for subnet in subnets if subnet["SubnetId"] in wanted]
    for rule in rules(edit):
        rule["IpRanges"] = ranges


@mutant(breaks=())
def database_has_a_standby(edit: Edit) -> None:
    """The database is Multi-AZ."""
    for each in databases(edit):
        each["MultiAZ"] = True


@mutant(breaks=["evidence_is_collected", "diagnosis_is_right"])
def nothing_is_written_down(edit: Edit) -> None:
    """The file is empty."""
    for answer in edit.answers("files", "table"):
        answer.clear()


@mutant(breaks=["evidence_is_collected"])
def status_was_guessed(edit: Edit) -> None:
    """The state of the database was not looked up."""
    for table in written(edit, "evidence"):
        table["database_status"] = "stopped"


@mutant(breaks=["evidence_is_collected"])
def port_was_guessed(edit: Edit) -> None:
    """The port is off by one."""
    for table in written(edit, "evidence"):
        table["database_port"] += 1


@mutant(breaks=["evidence_is_collected"])
def rules_were_counted_after_the_repair(edit: Edit) -> None:
    """There was one rule, so the repair came before the evidence."""
    for table in written(edit, "evidence"):
        table["rules_for_the_nodes"] = 1


@mutant(breaks=["evidence_is_collected"])
def rules_are_a_boolean(edit: Edit) -> None:
    """False is not a number of rules."""
    for table in written(edit, "evidence"):
        table["rules_for_the_nodes"] = False


@mutant(breaks=["evidence_is_collected"])
def route_was_guessed(edit: Edit) -> None:
    """The route is said to lead through a NAT gateway."""
    for table in written(edit, "evidence"):
        table["route"] = "nat"


@mutant(breaks=["diagnosis_is_right"])
def component_is_wrong(edit: Edit) -> None:
    """The cache is blamed."""
    for table in written(edit, "diagnosis"):
        table["component"] = "cache"


@mutant(breaks=["diagnosis_is_right"])
def cause_is_wrong(edit: Edit) -> None:
    """The route is blamed."""
    for table in written(edit, "diagnosis"):
        table["cause"] = "route"


@mutant(breaks=["diagnosis_is_right"])
def fact_proves_something_else(edit: Edit) -> None:
    """The fact would prove another cause."""
    for table in written(edit, "diagnosis"):
        table["fact"] = "network-acl-denies"


@mutant(breaks=["diagnosis_is_right"])
def fact_is_missing(edit: Edit) -> None:
    """No fact is named."""
    for table in written(edit, "diagnosis"):
        del table["fact"]
