"""Values that cannot work are refused while rendering, in the words of the official chart."""

from typing import Any

import pytest

from hallmark.errors import UsageError

SAME = "postgres://u:p@db:5432/agents"
REFUSALS = {
    "no way to sign in": (["config.basicAuth.enabled=false"], "Neither Basic auth nor OAuth are enabled."),
    "two ways to sign in": (["config.oauth.enabled=true"], "Basic auth and OAuth are both enabled."),
    "unknown auth type": (["config.authType=none"], "config.authType must be either 'mixed' or 'oauth'."),
    "basic auth without mixed": (["config.authType=oauth"], "config.authType is not set to 'mixed'"),
    "no administrator": (["config.initialOrgAdminEmail="], "initialOrgAdminEmail is required"),
    "no salt": (["config.apiKeySalt="], "config.apiKeySalt is required"),
    "no license": (["config.langsmithLicenseKey="], "config.langsmithLicenseKey is required"),
    "short password": (["config.basicAuth.initialOrgAdminPassword=Short-1"], "at least 12 characters long"),
    "no lower case": (["config.basicAuth.initialOrgAdminPassword=ALL-UPPER-CASE"], "at least one lowercase letter"),
    "no upper case": (["config.basicAuth.initialOrgAdminPassword=all-lower-case"], "at least one uppercase letter"),
    "no symbol": (["config.basicAuth.initialOrgAdminPassword=NoSymbolAtAll1"], "at least one symbol"),
    "old image key": (["images.platformBackendImage.tag=1"], "images.platformBackendImage is deprecated"),
    "old host key": (["ingress.hostname=a.example.com"], "ingress.hostname has been moved to config.hostname"),
    "old path key": (["ingress.subdomain=a"], "ingress.subdomain has been moved to config.basePath"),
    "old insights key": (["config.insights.enabled=true"], "config.insights is no longer supported"),
    "old polly key": (["config.polly.enabled=true"], "config.polly is no longer supported"),
    "two autoscalers": (
        ["queue.autoscaling.hpa.enabled=true", "queue.autoscaling.keda.enabled=true"],
        "Only one of queue.autoscaling.hpa.enabled or queue.autoscaling.keda.enabled",
    ),
    "old autoscaling key": (["backend.autoscaling.createHpa=true"], "backend.autoscaling.createHpa is deprecated"),
    "two ways in": (["ingress.enabled=true", "gateway.enabled=true"], "Only one of ingress, gateway, or istioGateway"),
    "one database for two": (
        [
            f"{each}.postgres.external.{key}"
            for each in ("insights", "polly")
            for key in ("enabled=true", f"connectionUrl={SAME}")
        ],
        "All postgres connection URLs (langsmith, insights, polly) must be unique.",
    ),
    "no insights key": (
        ["insights.encryptionKey="],
        "insights.encryptionKey is required when insights.enabled is true",
    ),
    "unknown blob engine": (
        ["config.blobStorage.enabled=true", "config.blobStorage.engine=ftp"],
        "must be one of [S3, GCS",
    ),
    "tracing to nowhere": (["config.observability.tracing.enabled=true"], "tracing.endpoint must be provided"),
    "no clickhouse": (["clickhouse.enabled=false"], "At least one ingestion backend must be enabled"),
    "variable twice": (["commonEnv[0].name=LOG_LEVEL", "commonEnv[0].value=x"], "Duplicate keys detected: [LOG_LEVEL]"),
    "not in this chart": (["gateway.enabled=true"], "Hallmark's offline chart leaves this out"),
    "not in this chart, deep": (["sandboxes.enabled=true"], "sandboxes.enabled: Hallmark's offline chart"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused(render: Any, case: str) -> None:
    """The rendering ends with a sentence that names the key, and with nothing installed."""
    sets, words = REFUSALS[case]
    with pytest.raises(UsageError) as refused:
        render(*sets)
    assert words in refused.value.message


def test_an_existing_secret_answers_for_what_is_in_it(render: Any) -> None:
    """Salt, license, password and encryption keys are not asked for when a Secret is named."""
    gone = [f"config.{key}=" for key in ("apiKeySalt", "langsmithLicenseKey", "basicAuth.initialOrgAdminPassword")]
    release = render("config.existingSecretName=mine", "insights.encryptionKey=", "polly.encryptionKey=", *gone)
    assert "langsmith-secrets" not in release.names("Secret")


def test_the_checks_can_be_skipped(render: Any) -> None:
    """With skipValidation nothing is checked that the official chart checks; what this chart lacks is still refused."""
    skip = "config.skipValidation=true"
    assert "langsmith-backend" in render(skip, "config.apiKeySalt=").names("Deployment")
    with pytest.raises(UsageError, match="leaves this out"):
        render(skip, "fleet.enabled=true")
