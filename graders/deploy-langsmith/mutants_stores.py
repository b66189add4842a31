"""What can be wrong with what the application is told of its data stores, and what only looks wrong."""

from collections.abc import Iterator
from typing import Any

from hallmark.grading.mutation import Edit, mutant

OUTSIDE = "clickhouse.example.aws.clickhouse.cloud"


def _key(edit: Edit, secret: str, key: str) -> dict[str, Any]:
    found = next(one for one in edit.each("kubernetes", "secrets", "items") if one["metadata"]["name"] == secret)
    facts: dict[str, Any] = found["keys"][key]
    return facts


def _environments(edit: Edit) -> Iterator[list[dict[str, Any]]]:
    for deployment in edit.objects("deployments"):
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            if "env" in container:
                yield container["env"]


def _url(host: str, scheme: str, port: int) -> dict[str, Any]:
    facts = {"scheme": scheme, "host": host, "port": port, "userinfo": True, "password": True, "sslmode": ""}
    return {"value": "<redacted 0>", "url": facts}


@mutant(breaks=["postgres_is_rds"])
def postgres_is_in_the_cluster(edit: Edit) -> None:
    """The chart's own PostgreSQL: no backups, and gone with its volume."""
    _key(edit, "langsmith-postgres", "connection_url")["urls"][0]["host"] = "langsmith-postgres"


@mutant(breaks=["postgres_is_rds"])
def postgres_url_cannot_be_read(edit: Edit) -> None:
    """A password with a slash in it ends the host too early."""
    del _key(edit, "langsmith-postgres", "connection_url")["urls"]


@mutant(breaks=["postgres_is_rds"])
def one_part_has_another_database(edit: Edit) -> None:
    """One Deployment has been given a URL by hand."""
    deployment = next(edit.objects("deployments", "langsmith-queue"))
    for variable in deployment["spec"]["template"]["spec"]["containers"][0]["env"]:
        if variable["name"] == "POSTGRES_DATABASE_URI":
            del variable["valueFrom"]
            variable.update(_url("old.example.com", "postgres", 5432))


@mutant(breaks=["postgres_is_rds", "redis_is_elasticache", "clickhouse_told"])
def nobody_uses_a_store(edit: Edit) -> None:
    """The variables of the data stores are missing everywhere."""
    stores = ("POSTGRES_", "REDIS_", "CLICKHOUSE_")
    for environment in _environments(edit):
        environment[:] = [one for one in environment if not one["name"].startswith(stores)]


@mutant(breaks=[])
def postgres_is_aurora(edit: Edit) -> None:
    """An Aurora cluster, reached by its writer endpoint."""
    for answer in edit.answers("rds", "describe_db_instances"):
        (instance,) = answer["DBInstances"]
        instance |= {"DBClusterIdentifier": "aurora", "Engine": "aurora-postgresql"}
        writer = instance["Endpoint"]["Address"].replace(".", ".cluster-", 1)
        place = instance["DBSubnetGroup"]["DBSubnetGroupName"]
        taken = ("EngineVersion", "BackupRetentionPeriod", "StorageEncrypted", "VpcSecurityGroups")
        cluster = {name: instance[name] for name in taken} | {
            "DBClusterIdentifier": "aurora",
            "DBClusterArn": instance["DBInstanceArn"].replace(":db:", ":cluster:"),
            "Engine": "aurora-postgresql",
            "Status": "available",
            "Endpoint": writer,
            "Port": 5432,
            "DBSubnetGroup": place,
        }
        for clusters in edit.answers("rds", "describe_db_clusters"):
            clusters["DBClusters"] = [cluster]
        _key(edit, "langsmith-postgres", "connection_url")["urls"][0]["host"] = writer


@mutant(breaks=[])
def postgres_url_without_scheme(edit: Edit) -> None:
    """As the documentation writes it."""
    _key(edit, "langsmith-postgres", "connection_url")["urls"][0]["scheme"] = ""


@mutant(breaks=["postgres_is_rds"])
def postgres_is_the_reader_of_aurora(edit: Edit) -> None:
    """The reader's endpoint lets people look, and refuses every change."""
    postgres_is_aurora.edit(edit)
    facts = _key(edit, "langsmith-postgres", "connection_url")["urls"][0]
    facts["host"] = facts["host"].replace(".cluster-", ".cluster-ro-", 1)
    for cluster in edit.each("rds", "describe_db_clusters", "DBClusters"):
        cluster["ReaderEndpoint"] = facts["host"]


@mutant(breaks=["redis_is_elasticache"])
def redis_is_in_the_cluster(edit: Edit) -> None:
    """The chart's own Redis: no password, and queued traces are gone with its pod."""
    _key(edit, "langsmith-redis", "connection_url")["urls"][0]["host"] = "langsmith-redis"


@mutant(breaks=["redis_is_elasticache"])
def redis_without_tls(edit: Edit) -> None:
    """Scheme redis on a cache that demands TLS: connections are reset."""
    _key(edit, "langsmith-redis", "connection_url")["urls"][0]["scheme"] = "redis"


@mutant(breaks=[])
def redis_in_cluster_mode(edit: Edit) -> None:
    """The other variable of the chart, with a list of nodes."""
    facts = _key(edit, "langsmith-redis", "connection_url")
    facts["urls"] = facts["urls"] * 2
    for environment in _environments(edit):
        for variable in environment:
            if variable["name"] == "REDIS_DATABASE_URI":
                variable["name"] = "REDIS_CLUSTER_DATABASE_URIS"


@mutant(breaks=["clickhouse_told", "secrets_complete"])
def native_port_is_missing(edit: Edit) -> None:
    """The official generator writes fewer keys than the chart asks for."""
    for secret in edit.each("kubernetes", "secrets", "items"):
        secret["keys"].pop("clickhouse_native_port", None)


@mutant(breaks=["clickhouse_told"])
def clickhouse_host_is_no_service(edit: Edit) -> None:
    """The host is a name that nothing in the cluster has."""
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = "clickhouse"


@mutant(breaks=["clickhouse_told"])
def clickhouse_of_another_namespace(edit: Edit) -> None:
    """The application is connected to the ClickHouse of another release."""
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = "langsmith-clickhouse.other.svc.cluster.local"


@mutant(breaks=[])
def clickhouse_host_is_written_out(edit: Edit) -> None:
    """The full name of the Service in the cluster's DNS."""
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = "langsmith-clickhouse.langsmith.svc.cluster.local"


@mutant(breaks=["clickhouse_told"])
def clickhouse_is_gone(edit: Edit) -> None:
    """Somebody deleted the StatefulSet; the host still names its Service."""
    edit.remove("statefulsets", "langsmith-clickhouse")


@mutant(breaks=["clickhouse_told"])
def clickhouse_of_the_cluster_by_its_address(edit: Edit) -> None:
    """Not the release's own, and told by the address of its Service: it only looks as if it were outside."""
    edit.remove("statefulsets", "langsmith-clickhouse")
    service = next(edit.objects("services", "langsmith-clickhouse"))
    service["spec"]["clusterIP"] = "172.20.8.123"
    service["spec"]["clusterIPs"] = ["172.20.8.123"]
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = "172.20.8.123"


@mutant(breaks=[])
def clickhouse_at_an_address_outside(edit: Edit) -> None:
    """An address that nothing in the cluster has."""
    clickhouse_is_outside.edit(edit)
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = "10.20.30.40"


@mutant(breaks=[])
def clickhouse_is_outside(edit: Edit) -> None:
    """A managed ClickHouse: recommended, and its size is attested."""
    edit.remove("statefulsets", "langsmith-clickhouse")
    edit.remove("services", "langsmith-clickhouse")
    _key(edit, "langsmith-clickhouse", "clickhouse_host")["value"] = OUTSIDE
