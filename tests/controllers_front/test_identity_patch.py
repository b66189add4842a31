"""What the pod identity webhook puts into a pod that is being created."""

from typing import Any

from hallmark.twin.controllers.aws.identity_webhook import patch

POD: dict[str, Any] = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "AWS_REGION", "value": "eu-west-1"}]}]},
}
ANNOTATED = {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/app"}}}


def _patched(account: dict[str, Any] | None, *, associated: bool = False) -> dict[str, Any]:
    (change,) = patch(POD, account, "us-east-1", associated=associated)
    spec: dict[str, Any] = change["value"]
    return spec


def test_a_pod_without_a_role_is_left_alone() -> None:
    """SE-44: no annotation, no identity."""
    assert patch(POD, None, "us-east-1", associated=False) == []
    assert patch(POD, {"metadata": {}}, "us-east-1", associated=False) == []


def test_an_annotation_brings_the_role_and_its_token() -> None:
    """What the pod sets itself stays as it is."""
    spec = _patched(ANNOTATED)
    environment = {each["name"]: each["value"] for each in spec["containers"][0]["env"]}

    assert environment["AWS_ROLE_ARN"] == "arn:aws:iam::111122223333:role/app"
    assert environment["AWS_REGION"] == "eu-west-1"
    assert spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"] == {
        "audience": "sts.amazonaws.com",
        "expirationSeconds": 86400,
        "path": "token",
    }
    folder = spec["containers"][0]["volumeMounts"][0]["mountPath"]
    assert environment["AWS_WEB_IDENTITY_TOKEN_FILE"] == f"{folder}/token"


def test_an_association_brings_pod_identity() -> None:
    """The other way EKS has, with a token for another audience."""
    spec = _patched({"metadata": {}}, associated=True)
    names = {each["name"] for each in spec["containers"][0]["env"]}

    assert {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"} <= names
    assert "AWS_ROLE_ARN" not in names
    token = spec["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"]
    assert token["audience"] == "pods.eks.amazonaws.com"
