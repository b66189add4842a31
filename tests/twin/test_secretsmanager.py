"""Secrets Manager: labels decide which version is given out."""

from hallmark.twin.clients import Clients

NAME = "lab/password"


def test_the_current_version_is_the_one_with_the_label(aws: Clients) -> None:
    """Moved back to the first version, the label decides, whether a stage is named or nothing at all."""
    manager = aws("secretsmanager")
    first = manager.create_secret(Name=NAME, SecretString="one")["VersionId"]
    second = manager.put_secret_value(SecretId=NAME, SecretString="two")["VersionId"]

    manager.update_secret_version_stage(
        SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId=first, RemoveFromVersionId=second
    )

    found = manager.get_secret_value(SecretId=NAME)
    assert (found["SecretString"], found["VersionId"]) == ("one", first)
    assert manager.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")["SecretString"] == "two"


def test_a_value_put_after_a_move_becomes_current(aws: Clients) -> None:
    """And the version that had the label until then is the previous one."""
    manager = aws("secretsmanager")
    first = manager.create_secret(Name=NAME, SecretString="one")["VersionId"]
    second = manager.put_secret_value(SecretId=NAME, SecretString="two")["VersionId"]
    manager.update_secret_version_stage(
        SecretId=NAME, VersionStage="AWSCURRENT", MoveToVersionId=first, RemoveFromVersionId=second
    )

    third = manager.put_secret_value(SecretId=NAME, SecretString="three")["VersionId"]

    stages = manager.describe_secret(SecretId=NAME)["VersionIdsToStages"]
    assert {version: labels for version, labels in stages.items() if labels} == {
        first: ["AWSPREVIOUS"], third: ["AWSCURRENT"],
    }  # fmt: skip
