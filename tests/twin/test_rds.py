"""RDS: what AWS tells of a database, and what it refuses."""

from typing import Any

import pytest

from hallmark.twin.clients import Clients


@pytest.fixture
def subnets(aws: Clients, network: Any) -> str:
    """A DB subnet group over three zones."""
    aws("rds").create_db_subnet_group(
        DBSubnetGroupName="data", DBSubnetGroupDescription="data", SubnetIds=network.subnets
    )
    return "data"


def _create(aws: Clients, subnets: str, name: str = "pg", **more: Any) -> Any:
    wanted = {
        "Engine": "postgres",
        "EngineVersion": "16.8",
        "DBInstanceClass": "db.t3.large",
        "AllocatedStorage": 20,
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret",
        "DBSubnetGroupName": subnets,
        **more,
    }
    return aws("rds").create_db_instance(DBInstanceIdentifier=name, **wanted)["DBInstance"]


def _describe(aws: Clients) -> Any:
    return aws("rds").describe_db_instances(DBInstanceIdentifier="pg")["DBInstances"][0]


def test_each_database_has_an_id_of_its_own(aws: Clients, subnets: str) -> None:
    """Terraform finds a database by it."""
    ids = {_create(aws, subnets, name)["DbiResourceId"] for name in ("one", "two")}

    assert len(ids) == 2


def test_a_major_version_becomes_its_newest_minor_version(aws: Clients, subnets: str) -> None:
    """As AWS does; asking for the major version again changes nothing."""
    assert _create(aws, subnets, EngineVersion="16")["EngineVersion"] == "16.13"

    aws("rds").modify_db_instance(DBInstanceIdentifier="pg", EngineVersion="16")
    assert _describe(aws)["EngineVersion"] == "16.13"


def test_a_database_stands_in_a_zone_of_its_subnet_group(aws: Clients, network: Any) -> None:
    """Moto would put it into zone a in any case."""
    rds = aws("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="bc", DBSubnetGroupDescription="b and c", SubnetIds=network.subnets[1:]
    )

    assert _create(aws, "bc")["AvailabilityZone"] == "us-east-1b"


def test_there_is_a_time_to_restore_to_while_backups_are_on(aws: Clients, subnets: str) -> None:
    """And none when they are off."""
    _create(aws, subnets, BackupRetentionPeriod=7)
    assert _describe(aws)["LatestRestorableTime"]

    aws("rds").modify_db_instance(DBInstanceIdentifier="pg", BackupRetentionPeriod=0)
    assert "LatestRestorableTime" not in _describe(aws)


def test_performance_insights_are_remembered(aws: Clients, subnets: str) -> None:
    """With AWS's own retention."""
    made = _create(aws, subnets, EnablePerformanceInsights=True)

    assert (made["PerformanceInsightsEnabled"], made["PerformanceInsightsRetentionPeriod"]) == (True, 7)


def test_a_parameter_says_who_set_it(aws: Clients) -> None:
    """Terraform would otherwise set it for ever."""
    rds, name = aws("rds"), {"DBParameterGroupName": "pg16"}
    rds.create_db_parameter_group(**name, DBParameterGroupFamily="postgres16", Description="x")
    setting = {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}

    rds.modify_db_parameter_group(**name, Parameters=[setting])

    (found,) = rds.describe_db_parameters(**name, Source="user")["Parameters"]
    assert (found["ParameterName"], found["ParameterValue"], found["Source"]) == ("rds.force_ssl", "1", "user")


def test_versions_can_be_listed(aws: Clients) -> None:
    """With the family their parameter groups have."""
    versions = aws("rds").describe_db_engine_versions(Engine="postgres", DBParameterGroupFamily="postgres16")

    assert {one["MajorEngineVersion"] for one in versions["DBEngineVersions"]} == {"16"}


def test_a_database_can_be_stopped_and_started(aws: Clients, subnets: str) -> None:
    """A fault and its repair."""
    rds = aws("rds")
    _create(aws, subnets)

    rds.stop_db_instance(DBInstanceIdentifier="pg")
    assert _describe(aws)["DBInstanceStatus"] == "stopped"
    rds.start_db_instance(DBInstanceIdentifier="pg")
    assert _describe(aws)["DBInstanceStatus"] == "available"


def test_a_database_can_be_changed(aws: Clients, subnets: str, network: Any) -> None:
    """Security groups and protection."""
    _create(aws, subnets)

    aws("rds").modify_db_instance(
        DBInstanceIdentifier="pg", VpcSecurityGroupIds=[network.group], DeletionProtection=True
    )

    now = _describe(aws)
    assert [group["VpcSecurityGroupId"] for group in now["VpcSecurityGroups"]] == [network.group]
    assert now["DeletionProtection"] is True


def test_aurora_stands_in_the_subnet_group_of_its_cluster(aws: Clients, subnets: str) -> None:
    """A valid variant of the reference."""
    rds = aws("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="aurora",
        Engine="aurora-postgresql",
        EngineVersion="16.6",
        MasterUsername="owner",
        MasterUserPassword="not-a-secret",
        DBSubnetGroupName=subnets,
    )

    made = rds.create_db_instance(
        DBInstanceIdentifier="writer",
        DBClusterIdentifier="aurora",
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )["DBInstance"]

    assert made["DBSubnetGroup"]["DBSubnetGroupName"] == subnets


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"EngineVersion": "99.9"}, ("InvalidParameterCombination", "Cannot find version 99.9 for postgres")),
        ({"EngineVersion": "16.99"}, ("InvalidParameterCombination", "Cannot find version 16.99 for postgres")),
        ({"DBInstanceClass": "db.z9.huge"}, ("InvalidParameterValue", "Invalid DB Instance class: db.z9.huge")),
        ({"BackupRetentionPeriod": 99}, ("InvalidParameterValue", "between 0 and 35")),
        ({"AllocatedStorage": 1}, ("InvalidParameterValue", "Invalid storage size")),
        ({"MasterUserPassword": "short"}, ("InvalidParameterValue", "shorter than 8 characters")),
    ],
)
def test_an_impossible_database_is_refused(
    aws: Clients, subnets: str, refused: Any, wish: Any, refusal: tuple[str, str]
) -> None:
    """Moto would take them all."""
    with refused(*refusal):
        _create(aws, subnets, **wish)
    assert aws("rds").describe_db_instances()["DBInstances"] == []


def test_an_impossible_change_is_refused(aws: Clients, subnets: str, refused: Any) -> None:
    """What cannot be made cannot be reached by changing either."""
    _create(aws, subnets)

    with refused("InvalidParameterValue", "Invalid DB Instance class"):
        aws("rds").modify_db_instance(DBInstanceIdentifier="pg", DBInstanceClass="db.z9.huge")
    with refused("InvalidParameterCombination", "Cannot find version"):
        aws("rds").modify_db_instance(DBInstanceIdentifier="pg", EngineVersion="99.9")


def test_a_parameter_group_of_another_version_is_refused(aws: Clients, subnets: str, refused: Any) -> None:
    """postgres14 does not fit PostgreSQL 16."""
    aws("rds").create_db_parameter_group(
        DBParameterGroupName="old", DBParameterGroupFamily="postgres14", Description="x"
    )

    with refused("InvalidParameterCombination", "DBParameterGroupFamily postgres16"):
        _create(aws, subnets, DBParameterGroupName="old")


def test_a_subnet_group_in_one_zone_is_refused(aws: Clients, network: Any, refused: Any) -> None:
    """RDS wants two zones, even for one instance."""
    with refused("DBSubnetGroupDoesNotCoverEnoughAZs", "Current AZ coverage: us-east-1a"):
        aws("rds").create_db_subnet_group(
            DBSubnetGroupName="one", DBSubnetGroupDescription="x", SubnetIds=network.subnets[:1]
        )
