"""The cluster of a twin: the Kubernetes API, and what works for it; started and stopped together.

The API keeps everything. It is the twin's own, or that of a cluster somebody gives (:mod:`hallmark.twin.given`). The
emulated AWS is told where it answers, so that ``aws eks update-kubeconfig`` leads to it.
"""

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.files import write
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.process import GIVES_UP_WITHIN, Process
from hallmark.twin.workers import Workers

ABOUT = "cluster.json"
"""What the emulated AWS reads of the cluster (:mod:`hallmark.twin.aws.published`)."""
PORT = 6443
"""Where Kubernetes' own API server listens by default."""
PATIENCE = 60.0
"""Seconds for a dump of a large cluster on a slow machine."""
ANSWERS_WITHIN = 10.0
"""Seconds in which an API server that is well says so."""


@dataclass(frozen=True)
class Cloud:
    """The emulated AWS the cluster lives in.

    Attributes:
        endpoint: Its URL.
        account: 12 digits.
        region: AWS region.
        issuer: Issuer of service account tokens: the cluster's OIDC identity provider in AWS.
        authenticator: URL that reviews the tokens of ``aws eks get-token``.
    """

    endpoint: str
    account: str
    region: str
    issuer: str
    authenticator: str

    @property
    def arguments(self) -> list[str]:
        """Command line of what works with AWS."""
        return ["--endpoint", self.endpoint, "--account", self.account, "--region", self.region]


class Cluster(ABC):
    """A cluster, and what works for it.

    Args:
        state: The state directory of the twin; the cluster's own is ``cluster`` in it.
        kubeconfig: How it is reached.
    """

    is_own = True
    """Whether everything in it is the twin's, to be kept, restored and emptied."""

    def __init__(self, state: Path, kubeconfig: Path) -> None:
        self._about = state / ABOUT
        self._folder = state / "cluster"
        self._workers = Workers(state, self._folder, kubeconfig)
        self.kubeconfig = kubeconfig

    @property
    @abstractmethod
    def server(self) -> str:
        """URL of the API.

        Raises:
            EnvironmentFault: It does not run.
        """

    @property
    @abstractmethod
    def is_up(self) -> bool:
        """Whether everything lives, whatever it does."""

    @property
    @abstractmethod
    def is_well(self) -> bool:
        """Whether everything lives and answers."""

    @abstractmethod
    def issuer(self, cloud: Cloud) -> str:
        """Who issues its service account tokens."""

    @abstractmethod
    def serve(self, cloud: Cloud) -> None:
        """Have the API alone, so that AWS knows whose tokens to believe before anything is built in it."""

    @abstractmethod
    def up(self, cloud: Cloud) -> None:
        """Start what does not run or does not answer; returns once pods that worked work again.

        Raises:
            EnvironmentFault: A process did not come up.
        """

    def pause(self) -> None:
        """Stop the controllers: half of a restored architecture is nothing they should mend. :meth:`up` goes on."""
        self._workers.pause()

    def down(self) -> None:
        """Stop everything of ours; pods end with the kubelet."""
        self._workers.stop()

    @abstractmethod
    def dump(self) -> bytes:
        """Every lasting object of the cluster, to be kept with a snapshot."""

    @abstractmethod
    def load(self, dumped: bytes) -> None:
        """Put a dump in place of what is there; an empty one gives a cluster as EKS hands it out.

        To be done while the controllers are paused.
        """

    def use_stores(self, environment: Mapping[str, str]) -> bool:
        """Have the data stores on servers that variables name; True if :meth:`up` has to go on with that."""
        return self._workers.use_stores(environment)

    def require_stores(self) -> None:
        """Refuse to go on while a data store's server does not play along that was given by URL.

        Raises:
            GivenFault: It does not.
        """
        self._workers.require_stores()

    def stores_say(self) -> str:
        """What a person has to know of given servers; empty if that is nothing."""
        return self._workers.stores_say()

    def data(self) -> tuple[bytes, bytes]:
        """What the data stores and the persistent volumes hold, to be kept with a snapshot; while paused."""
        return self._workers.data()

    def prepare_data(self, stores: bytes) -> None:
        """Unpack what the data stores held; they may go on meanwhile."""
        self._workers.prepare_data(stores)

    def put_data(self, disks: bytes) -> None:
        """Put what was prepared, and what the volumes held, in place of what they hold; while paused."""
        self._workers.put_data(disks)

    def open_stores(self, cloud: Cloud) -> None:
        """Start the data stores alone: pods do not start without them."""
        self._workers.open_stores(cloud.arguments)

    @property
    def edge(self) -> int:
        """Port of the proxy that leads to the load balancers; 0 while it does not run."""
        return self._workers.edge

    @property
    def direct(self) -> tuple[str, int] | None:
        """Address and port where load balancers take TLS without the proxy; None if they do not."""
        return self._workers.direct

    def _announce(self, cloud: Cloud, authority: bytes, key: str) -> None:
        """Tell the emulated AWS where the cluster is and whose tokens to believe.

        Args:
            cloud: The emulated AWS.
            authority: Certificate authority of the API, PEM.
            key: Public key of service account tokens, PEM.
        """
        about = {
            "endpoint": self.server,
            "ca": base64.b64encode(authority).decode(),
            "serviceAccountKey": key,
            "issuer": self.issuer(cloud),
            "account": cloud.account,
        }
        write(self._about, json.dumps(about))


def published_issuer(state: Path) -> str:
    """Who issues the service account tokens that the emulated AWS believes; empty before a cluster was announced."""
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads((state / ABOUT).read_text(encoding="utf-8"))["issuer"])
    return ""


class OwnCluster(Cluster):
    """The three processes of a cluster of ours.

    Args:
        state: The state directory of the twin.
    """

    def __init__(self, state: Path) -> None:
        super().__init__(state, state / "cluster" / "kubeconfig")
        self._api = Process(self._folder, "server", "hallmark.twin.cluster.server", "The twin's Kubernetes API")

    @property
    def server(self) -> str:
        """See the base class."""
        about = self._api.about()
        if about is None:
            raise EnvironmentFault("The twin's Kubernetes API does not run.", "hallmark twin up")
        return f"https://127.0.0.1:{about['port']}"

    @property
    def is_up(self) -> bool:
        """See the base class."""
        return self._api.is_alive and self._workers.are_alive

    @property
    def is_well(self) -> bool:
        """See the base class."""
        return self.is_up and self._is_ready() and self._workers.are_well

    def issuer(self, cloud: Cloud) -> str:
        """The API is told to be the one that AWS believes."""
        return cloud.issuer

    def up(self, cloud: Cloud) -> None:
        """See the base class."""
        self.serve(cloud)
        self._workers.start(self._access(), cloud.arguments)

    def serve(self, cloud: Cloud) -> None:
        """See the base class."""
        if not self._is_ready():
            before = self._told()
            self._api.stop(GIVES_UP_WITHIN)
            arguments = ["--state", str(self._folder), "--kubelet-address", "127.0.0.1"]
            arguments += ["--service-account-issuer", cloud.issuer, "--authentication-webhook", cloud.authenticator]
            self._api.launch_on(self._api.ports(PORT), arguments, self._ready)
            if self._told() != before:
                self._workers.stop()  # they know another port
            # What they told the old process of the moment, such as usage, it had in memory only.
            self._workers.pause(GIVES_UP_WITHIN)
        key = serialization.load_pem_private_key((self._folder / "service-account.key").read_bytes(), None)
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        self._announce(cloud, (self._folder / "ca.crt").read_bytes(), key.public_key().public_bytes(*form).decode())

    def down(self) -> None:
        """Stop everything; the API ends last."""
        super().down()
        self._api.stop()

    def dump(self) -> bytes:
        """See the base class."""
        return self._snapshot("GET")

    def load(self, dumped: bytes) -> None:
        """See the base class."""
        self._snapshot("PUT", dumped)

    def _access(self) -> Access:
        return Access.read(self.kubeconfig)

    def _told(self) -> bytes:
        return self.kubeconfig.read_bytes() if self.kubeconfig.exists() else b""

    def _is_ready(self) -> bool:
        return self._api.is_current and bool(self._ready())

    def _ready(self) -> bool | None:
        with suppress(OSError, EnvironmentFault, UsageError):
            if self._access().server == self.server:  # else the file is of an earlier process
                return once.call(self._access(), "GET", "/readyz", seconds=ANSWERS_WITHIN) == b"ok" or None
        return None

    def _snapshot(self, method: str, content: bytes | None = None) -> bytes:
        try:
            return once.call(self._access(), method, "/snapshot", content, seconds=PATIENCE)
        except OSError as error:
            raise EnvironmentFault(
                f"The twin's Kubernetes API does not answer: {error}.", "hallmark twin up"
            ) from error
