"""Clients that act as the role of a service account."""

import asyncio
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hallmark.twin.controllers.aws.session import Sessions
from hallmark.twin.kube.access import Access
from hallmark.twin.kube.cache import Caches
from hallmark.twin.kube.client import Api
from hallmark.twin.kube.kinds import SERVICE_ACCOUNTS

BROKEN, WORKER = ("default", "broken"), ("default", "worker")


async def _identity(world: Any, account: tuple[str, str]) -> str:
    """Who STS says a service account is."""
    async with Api(Access.read(world.kubeconfig), "tests") as api:
        caches = Caches(api)
        for each in (await api.list(SERVICE_ACCOUNTS))[0]:
            caches[SERVICE_ACCOUNTS].note(each)
        client = await Sessions(caches, world.aws).client("sts", account, "lab")
        return str((await asyncio.to_thread(client.get_caller_identity))["Arn"])


def ask(world: Any, account: tuple[str, str]) -> str:
    """Who STS says a service account is, or AWS's refusal."""
    try:
        return asyncio.run(_identity(world, account)).rpartition("/")[0]
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"


def account(name: str, role: str = "") -> dict[str, Any]:
    """A ServiceAccount, with a role or without."""
    annotations = {"eks.amazonaws.com/role-arn": role} if role else {}
    metadata = {"name": name, "namespace": "default", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


@pytest.fixture
def role(world: Any) -> Any:
    """A role that nobody uses, and its end."""
    iam = world.aws("iam")
    made = iam.create_role(RoleName="session", AssumeRolePolicyDocument='{"Statement": []}')["Role"]["Arn"]
    yield made
    iam.delete_role(RoleName="session")


def test_a_service_account_acts_as_its_role(world: Any, role: str) -> None:
    """As long as the trust policy says so; the API server's token proves it."""
    world.apply(account("worker", role))
    world.trust("session", "system:serviceaccount:default:worker")

    assert ask(world, WORKER) == "arn:aws:sts::111122223333:assumed-role/session"
    world.trust("session", "system:serviceaccount:elsewhere:worker")
    assert ask(world, WORKER) == "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_without_a_role_there_are_no_credentials(world: Any) -> None:
    """A pod does not reach the instance's role, as the hop limit of one keeps it from it."""
    world.apply(account("plain"))

    assert ask(world, ("default", "plain")).startswith("NoCredentialProviders: no EC2 IMDS role found")
    assert ask(world, ("default", "missing")).startswith("NoCredentialProviders")


def test_an_association_wins_over_the_annotation(world: Any, role: str) -> None:
    """EKS Pod Identity: the role trusts the service, not the identity provider."""
    world.apply(account("associated", "arn:aws:iam::111122223333:role/other"))
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], '
    )
    trust += '"Principal": {"Service": "pods.eks.amazonaws.com"}}]}'
    world.aws("iam").update_assume_role_policy(RoleName="session", PolicyDocument=trust)
    world.aws("eks").create_pod_identity_association(
        clusterName="lab", namespace="default", serviceAccount="associated", roleArn=role
    )

    assert ask(world, ("default", "associated")) == "arn:aws:sts::111122223333:assumed-role/session"
