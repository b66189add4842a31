"""A cluster that somebody gives: kwok, kind, k3d, or a real one that is marked as a lab.

The twin brings what EKS and its add-ons do, and runs the pods of its own nodes. The cluster's own controllers stay at
work; where there are none, the twin's do their part. What else is in the cluster is not the twin's: it is never
restored and never emptied.
"""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.files import write
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.kubernetes import Cloud, Cluster, OwnCluster

LABEL = "hallmark.dev/lab"
"""What the namespace ``kube-system`` of a cluster carries that may be practised on."""
LEADER = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"
ALIVE = timedelta(minutes=2)
"""How old the lease of a leader may be. It is renewed every other second; clocks differ."""
ANSWERS_WITHIN = 10.0
CHOICE = "given"
"""File of the state directory that names the kubeconfig."""


class GivenCluster(Cluster):
    """A cluster with an API of its own.

    Args:
        state: The state directory of the twin.
        kubeconfig: Its current context leads to the cluster, with a token or a client certificate.
    """

    is_own = False

    def __init__(self, state: Path, kubeconfig: Path) -> None:
        super().__init__(state, kubeconfig)

    @cached_property
    def _access(self) -> Access:
        return Access.read(self.kubeconfig)

    @property
    def server(self) -> str:
        """See the base class."""
        return self._access.server

    @property
    def is_up(self) -> bool:
        """The API is somebody else's concern."""
        return self._workers.are_alive

    @property
    def is_well(self) -> bool:
        """The API is somebody else's concern."""
        return self._workers.are_well

    def issuer(self, _: Cloud) -> str:
        """Ask the API (Kubernetes documentation, "Service account issuer discovery")."""
        return str(self._get("/.well-known/openid-configuration")["issuer"])

    def serve(self, cloud: Cloud) -> None:
        """Make sure that it may be used, and tell AWS of it; see :meth:`require_lab`."""
        self.require_lab()
        authority = self._get("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt")["data"]["ca.crt"]
        self._announce(cloud, authority.encode(), _pem(self._get("/openid/v1/jwks")["keys"][0]))

    def require_lab(self) -> None:
        """Refuse a cluster that nobody marked as one to practise on.

        Raises:
            UsageError: It is not marked, or the file is no kubeconfig with a token or a client certificate.
            EnvironmentFault: It does not answer.
        """
        labels = self._get("/api/v1/namespaces/kube-system")["metadata"].get("labels") or {}
        if labels.get(LABEL) != "true":
            raise UsageError(
                f"The cluster at {self.server} is not marked as a lab, so nothing was done to it.",
                f"kubectl --kubeconfig {self.kubeconfig} label namespace kube-system {LABEL}=true",
            )

    def up(self, cloud: Cloud) -> None:
        """See the base class."""
        self.serve(cloud)
        self._workers.start(self._access, cloud.arguments, "aws" if self._has_controllers() else "")

    def dump(self) -> bytes:
        """Nothing of it is kept.

        Raises:
            UsageError: Always.
        """
        raise self._not_ours()

    def load(self, dumped: bytes) -> None:
        """Nothing is put in place of what is there; where that would be needed, it is refused.

        Raises:
            UsageError: There is something to restore.
        """
        if dumped:
            raise self._not_ours()

    def _has_controllers(self) -> bool:
        """Whether a controller manager leads, as the real one says by its lease."""
        with suppress(UsageError, KeyError, TypeError, ValueError):
            spec = self._get(LEADER)["spec"]
            return (
                bool(spec["holderIdentity"]) and datetime.now(UTC) - datetime.fromisoformat(spec["renewTime"]) < ALIVE
            )
        return False

    def _not_ours(self) -> UsageError:
        return UsageError(
            f"The twin uses the cluster at {self.server}, which is not its own: it keeps and restores nothing there.",
            "hallmark twin deploy --remove, or hallmark twin up --own-cluster",
        )

    def _get(self, path: str) -> Any:
        try:
            return json.loads(once.call(self._access, "GET", path, seconds=ANSWERS_WITHIN))
        except OSError as error:
            if getattr(error, "code", 0) == 404:  # noqa: PLR2004  (HTTP)
                raise UsageError(f"The cluster at {self.server} has no {path}.") from error
            hint = f"kubectl --kubeconfig {self.kubeconfig} get namespaces"
            raise EnvironmentFault(f"The cluster at {self.server} does not answer: {error}.", hint) from error


def cluster(state: Path) -> Cluster:
    """The cluster of a twin: the one that was chosen, else one of its own.

    Args:
        state: The state directory of the twin.
    """
    kubeconfig = chosen(state)
    return GivenCluster(state, kubeconfig) if kubeconfig else OwnCluster(state)


def chosen(state: Path) -> Path | None:
    """The kubeconfig of the cluster that a twin was told to use; None for its own."""
    with suppress(FileNotFoundError, NotADirectoryError):  # what is in the way is told when the folder is made
        return Path((state / CHOICE).read_text(encoding="utf-8"))
    return None


def choose(state: Path, kubeconfig: Path | None) -> None:
    """Remember which cluster a twin uses; None for its own."""
    if kubeconfig:
        write(state / CHOICE, str(kubeconfig.absolute()))
    else:
        (state / CHOICE).unlink(missing_ok=True)


def _pem(key: dict[str, str]) -> str:
    """Return a JSON Web Key (RFC 7518, section 6) as PEM."""
    if key["kty"] == "RSA":
        public: Any = RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
    else:
        public = EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), SECP256R1()).public_key()
    return bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).decode()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
