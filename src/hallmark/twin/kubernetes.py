"""The cluster of a twin: the Kubernetes API, the controllers and the kubelet, started and stopped together.

The API keeps everything; the other two are its clients and keep nothing of their own. The emulated AWS is told
where the API answers, so that ``aws eks update-kubeconfig`` leads to it.
"""

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from hallmark.errors import EnvironmentFault
from hallmark.twin.files import write
from hallmark.twin.process import Process, free_port, is_free

PORT = 6443
"""Where Kubernetes' own API server listens by default."""
PATIENCE = 60.0
"""Seconds for a dump of a large cluster on a slow machine."""


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


class Cluster:
    """The three processes of one cluster.

    Args:
        state: The state directory of the twin; the cluster's own is ``cluster`` in it.
    """

    def __init__(self, state: Path) -> None:
        self._about = state / "cluster.json"
        self._folder = state / "cluster"
        self._api = Process(self._folder, "server", "hallmark.twin.cluster.server", "The twin's Kubernetes API")
        self._kubelet = Process(self._folder, "kubelet", "hallmark.twin.kubelet.main", "The twin's kubelet")
        self._controllers = Process(
            self._folder, "controllers", "hallmark.twin.controllers.main", "The twin's controllers"
        )
        self.kubeconfig = self._folder / "kubeconfig"

    @property
    def server(self) -> str:
        """URL of the API.

        Raises:
            EnvironmentFault: It does not run.
        """
        about = self._api.about()
        if about is None:
            raise EnvironmentFault("The twin's Kubernetes API does not run.", "hallmark twin up")
        return f"https://127.0.0.1:{about['port']}"

    @property
    def is_up(self) -> bool:
        """Whether all three processes live."""
        return all(each.is_alive for each in (self._api, self._kubelet, self._controllers))

    def up(self, cloud: Cloud) -> None:
        """Start what does not run.

        Raises:
            EnvironmentFault: A process did not come up.
        """
        self.serve(cloud)
        self._start_clients(cloud)

    def serve(self, cloud: Cloud) -> None:
        """Start the API alone, so that AWS knows whose tokens to believe before anything is built in it."""
        if not self._api.is_alive:
            port = self._api.last_port() or (PORT if is_free(PORT) else free_port())
            arguments = ["--state", str(self._folder), "--port", str(port), "--kubelet-address", "127.0.0.1"]
            arguments += ["--service-account-issuer", cloud.issuer, "--authentication-webhook", cloud.authenticator]
            self._api.launch(arguments, self._ready)
        self._announce(cloud)

    def pause(self) -> None:
        """Stop the controllers: half of a restored architecture is nothing they should mend. :meth:`up` goes on."""
        self._controllers.stop()

    def down(self) -> None:
        """Stop everything; pods end with the kubelet, and the API ends last."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(Process.stop, (self._controllers, self._kubelet)))
        self._api.stop()

    def dump(self) -> bytes:
        """Every lasting object of the cluster, to be kept with a snapshot."""
        return self._call("GET")

    def load(self, dumped: bytes) -> None:
        """Put a dump in place of what is there; an empty one gives a cluster as EKS hands it out.

        To be done while the controllers are paused.
        """
        self._call("PUT", dumped)

    def _start_clients(self, cloud: Cloud) -> None:
        common = ["--kubeconfig", str(self.kubeconfig), "--state", str(self._folder), *cloud.arguments]
        starts: list[Callable[[], object]] = []
        if not self._kubelet.is_alive:
            port = self._kubelet.last_port() or free_port()
            starts.append(lambda: self._kubelet.launch([*common, "--port", str(port)], self._kubelet.about))
        if not self._controllers.is_alive:
            starts.append(lambda: self._controllers.launch(common, self._controllers.about))
        with ThreadPoolExecutor() as pool:
            for started in [pool.submit(start) for start in starts]:
                started.result()

    def _announce(self, cloud: Cloud) -> None:
        """Tell the emulated AWS where the cluster is and whose tokens to believe."""
        key = serialization.load_pem_private_key((self._folder / "service-account.key").read_bytes(), None)
        form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        about = {
            "endpoint": self.server,
            "ca": base64.b64encode((self._folder / "ca.crt").read_bytes()).decode(),
            "serviceAccountKey": key.public_key().public_bytes(*form).decode(),
            "issuer": cloud.issuer,
            "account": cloud.account,
        }
        write(self._about, json.dumps(about))

    def _ready(self) -> bool | None:
        with suppress(OSError, EnvironmentFault):
            return self._ask("GET", "/readyz") == b"ok" or None
        return None

    def _call(self, method: str, content: bytes | None = None) -> bytes:
        try:
            return self._ask(method, "/snapshot", content)
        except (OSError, urllib.error.URLError) as error:
            raise EnvironmentFault(
                f"The twin's Kubernetes API does not answer: {error}.", "hallmark twin up"
            ) from error

    def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {_text(self._folder / 'token')}", "Content-Type": "application/json"}
        # Always our own server on this machine: the URL is made here.
        request = urllib.request.Request(self.server + path, data=content, method=method, headers=headers)  # noqa: S310
        tls = ssl.create_default_context(cafile=str(self._folder / "ca.crt"))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
        with opener.open(request, timeout=PATIENCE) as answer:
            body: bytes = answer.read()
            return body


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip()
