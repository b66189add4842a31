"""What the small system's stores and secrets have besides their network: values, tokens, parameters."""

from typing import Any

SECRETS = {
    "lab/salt-first": "a-planted-salt",
    "lab/postgres-first": "postgresql://langsmith:a-planted-password@lab-pg.example:5432/langsmith",
    "lab/redis-first": "rediss://:a-planted-token-of-the-cache@lab-redis.example:6379",
}
PARAMETERS = "lab-redis7"
POLICY = {"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}


def parameters(cache: Any) -> str:
    """Make the cache's parameter group and return its name."""
    cache.create_cache_parameter_group(
        CacheParameterGroupName=PARAMETERS, CacheParameterGroupFamily="redis7", Description="lab"
    )
    cache.modify_cache_parameter_group(CacheParameterGroupName=PARAMETERS, ParameterNameValues=[POLICY])
    return PARAMETERS


def build(manager: Any) -> None:
    """Put the secrets there."""
    for name, value in SECRETS.items():
        manager.create_secret(Name=name, SecretString=value)


def values(aws: Any) -> dict[str, str]:
    """What the store gives whoever asks for the current version."""
    manager = aws.client("secretsmanager")
    return {each: manager.get_secret_value(SecretId=each)["SecretString"] for each in SECRETS}


def state(aws: Any) -> dict[str, Any]:
    """Everything of it that a fault may touch."""
    databases = aws.client("rds").describe_db_instances()["DBInstances"]
    own = aws.client("elasticache").describe_cache_parameters(CacheParameterGroupName=PARAMETERS)["Parameters"]
    return {
        "values": values(aws),
        "databases": {each["DBInstanceIdentifier"]: each["DBInstanceStatus"] for each in databases},
        "parameters": {each["ParameterName"]: each["ParameterValue"] for each in own},
    }
