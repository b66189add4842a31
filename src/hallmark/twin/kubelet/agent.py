"""The EKS Pod Identity agent of a node: credentials for a pod that shows its token.

It answers while the add-on's pod runs on the pod's node. Source: EKS user guide, "Understand how EKS Pod Identity
works"; the answer has the shape of the container credentials provider of the SDKs.
"""

import asyncio
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hallmark.twin.clients import Clients
from hallmark.twin.kubelet.egress import Egress
from hallmark.twin.kubelet.pod import Pod
from hallmark.twin.kubelet.pods import Pods

ADD_ON = "eks-pod-identity-agent"
KEYS = {"AccessKeyId": "accessKeyId", "SecretAccessKey": "secretAccessKey", "Token": "sessionToken"}


class Agent:
    """Answers for one account.

    Args:
        clients: The account in the emulated AWS.
        pods: Among them are the agents.
        egress: The way of an agent, which is its node's, to EKS.
    """

    def __init__(self, clients: Clients, pods: Pods, egress: Egress) -> None:
        self._clients = clients
        self._pods = pods
        self._egress = egress

    async def credentials(self, pod: Pod, token: str) -> dict[str, Any]:
        """Credentials for a pod: outcome ``connected`` and the keys, ``denied`` and AWS's words, or ``refused``."""
        if not self._runs_on(pod.node_name):
            return {"outcome": "refused"}
        host = self._egress.name("eks-auth")
        way = await self._egress.way(pod.machine.node(pod.node_name), host)
        if not way.is_open:
            said = f'Post "https://{host}/": dial tcp {way.address}:443: i/o timeout'
            return {"outcome": "denied", "message": f"operation error EKS Auth: AssumeRoleForPodIdentity, {said}"}
        try:
            return await asyncio.to_thread(self._assume, token)
        except ClientError as error:
            told = error.response["Error"]
            return {"outcome": "denied", "message": f"{told['Code']}: {told['Message']}"}
        except BotoCoreError:
            return {"outcome": "timed out"}

    def _runs_on(self, node: str) -> bool:
        agents = [each for each in self._pods.all() if each.node_name == node and each.find(ADD_ON)]
        return any(container.is_running for each in agents for container in each.all())

    def _assume(self, token: str) -> dict[str, Any]:
        # A node belongs to one cluster; an account of the twin has one.
        cluster = self._clients("eks").list_clusters()["clusters"][0]
        found = self._clients("eks-auth").assume_role_for_pod_identity(clusterName=cluster, token=token)
        return {"outcome": "connected", **{name: found["credentials"][key] for name, key in KEYS.items()}}
