"""EKS Auth: what the Pod Identity agent of a node asks for the credentials of a pod.

Source: EKS Auth API reference, AssumeRoleForPodIdentity; EKS user guide, "Understand how EKS Pod Identity works".
"""

from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.eks import urls
from moto.eks.models import eks_backends
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sts.models import sts_backends

from hallmark.policy import Unknown, trusts_pod_identity
from hallmark.twin.aws.extension.patching import Function, Refusal, around, parameter
from hallmark.twin.aws.extension.web_identity import Token, TokenRefused
from hallmark.twin.aws.published import published

AUDIENCE = "pods.eks.amazonaws.com"
SESSION_SECONDS = 6 * 3600


class EKSAuthResponse(BaseResponse):
    """The one operation of EKS Auth."""

    def __init__(self) -> None:
        super().__init__(service_name="eks-auth")

    def assume_role_for_pod_identity(self) -> ActionResult:
        """AssumeRoleForPodIdentity: a session of the role that is associated with the token's service account."""
        cluster = eks_backends[self.current_account][self.region].describe_cluster(parameter(self, "clusterName"))
        token = _token(self, cluster)
        association = _association(cluster, token)
        context = {
            "aws:RequestTag/eks-cluster-name": cluster.name,
            "aws:RequestTag/eks-cluster-arn": cluster.arn,
            "aws:RequestTag/kubernetes-namespace": association["namespace"],
            "aws:RequestTag/kubernetes-service-account": association["serviceAccount"],
            "aws:SourceArn": cluster.arn,
            "aws:SourceAccount": self.current_account,
        }
        if not trusts_pod_identity(_trust(self, association["roleArn"]), context, unknown=Unknown.ABSENT).allowed:
            raise Refusal(
                "InvalidRequestException",
                f"The role {association['roleArn']} cannot be assumed by {AUDIENCE}: check its trust policy.",
            )
        return ActionResult(self._answer(token, association))

    def _answer(self, token: Token, association: dict[str, Any]) -> dict[str, Any]:
        session = sts_backends[self.current_account][self.partition].assume_role(
            region_name=self.region,
            role_session_name=f"eks-{association['clusterName']}-{association['serviceAccount']}"[:64],
            role_arn=association["roleArn"],
            policy="",
            duration=SESSION_SECONDS,
            external_id="",
        )
        return {
            "subject": {"namespace": association["namespace"], "serviceAccount": association["serviceAccount"]},
            "audience": token.audience[0],
            "podIdentityAssociation": {name: association[name] for name in ("associationArn", "associationId")},
            "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
            "credentials": {
                "sessionToken": session.session_token,
                "secretAccessKey": session.secret_access_key,
                "accessKeyId": session.access_key_id,
                "expiration": session.expiration,
            },
        }


def install() -> None:
    """Serve the service under the address that moto keeps for EKS."""
    urls.url_paths["{0}/clusters/(?P<clusterName>[^/]+)/assume-role-for-pod-identity$"] = EKSAuthResponse.dispatch
    around(DomainDispatcherApplication, "get_backend_for_host")(_backend)


def _backend(original: Function, application: Any, host: str | None) -> Any:
    return "eks" if host and host.startswith("eks-auth.") else original(application, host)


def _token(request: EKSAuthResponse, cluster: Any) -> Token:
    real = published(request.current_account)
    try:
        token = Token.read(parameter(request, "token"))
        token.check(real.service_account_key if real else "")
    except TokenRefused as refused:
        raise Refusal("InvalidTokenException", refused.message) from refused
    if token.issuer != cluster.identity["oidc"]["issuer"] or AUDIENCE not in token.audience:
        raise Refusal("InvalidTokenException", "The token included in the request is not of this cluster.")
    return token


def _association(cluster: Any, token: Token) -> dict[str, Any]:
    for one in cluster.pod_identities.values():
        if token.subject == f"system:serviceaccount:{one['namespace']}:{one['serviceAccount']}":
            found: dict[str, Any] = one
            return found
    raise Refusal("AccessDeniedException", f"No association found for {token.subject}.")


def _trust(request: EKSAuthResponse, role: str) -> str:
    roles = iam_backends[request.current_account][request.partition].roles.values()
    trust = next((each.assume_role_policy_document for each in roles if each.arn == role), None)
    if trust is None:
        raise Refusal("InvalidRequestException", f"The role {role} does not exist.")
    return str(trust)
