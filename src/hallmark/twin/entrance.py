"""How people reach LangSmith on the twin: its load balancer by name, the twin's own authority, an API key.

Names of the emulated Route53 mean nothing to this machine, so clients go through a proxy that knows them, or run where
those names mean something, see :mod:`hallmark.twin.naming`.
"""

import base64
import json
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx

from hallmark.errors import EnvironmentFault, UsageError
from hallmark.twin.files import write
from hallmark.twin.kube import once
from hallmark.twin.kube.access import Access
from hallmark.twin.platform import tokens
from hallmark.twin.release.helm import Helm

ANSWERS_WITHIN = 30.0
REFUSED = frozenset({401, 403})
PASSWORD = "initial_org_admin_password"  # noqa: S105  (the name of a key of the chart's Secret)
SHARED = "api_key_salt"
"""Key of the chart's Secret with what services sign their tokens with, see ``X_SERVICE_AUTH_JWT_SECRET``."""
EMAIL = "initialOrgAdminEmail"
"""Where the chart has the first administrator's address, below ``config``."""
DESCRIPTION = "made by hallmark twin env"
HTTPS_PORT = 443
AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What OpenSSL, requests and curl take for the authorities; each program has its own that counts before the first."""
OTHER_WAY = 'eval "$(hallmark twin env --langsmith)"'
"""What a person does where names cannot be made to lead here."""


@dataclass(frozen=True)
class Entrance:
    """The way in.

    Attributes:
        url: Public URL.
        proxy: URL of the proxy that leads there.
        authority: File of the certificate authority.
        direct: Address and port that take TLS without the proxy; None if the machine allows none.
    """

    url: str
    proxy: str
    authority: Path
    direct: tuple[str, int] | None = None

    def environment(self, key: str) -> dict[str, str]:
        """Variables for LangSmith's SDK, and for any client that heeds the usual ones."""
        return {
            "HTTPS_PROXY": self.proxy,
            "HTTP_PROXY": self.proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            **self._settings(self.url, key),
        }

    def by_name(self, key: str) -> dict[str, str]:
        """The same without the proxy, for a process that knows the name, see :mod:`hallmark.twin.naming`.

        Raises:
            EnvironmentFault: The machine does not allow it.
        """
        _, port = self.place
        return self._settings(self.url if port == HTTPS_PORT else f"{self.url}:{port}", key)

    @property
    def place(self) -> tuple[str, int]:
        """Address and port that take TLS without the proxy.

        Raises:
            EnvironmentFault: The machine does not allow it.
        """
        if self.direct is None:
            raise EnvironmentFault("The twin has no loopback address of its own here; use the proxy.", OTHER_WAY)
        return self.direct

    def _settings(self, url: str, key: str) -> dict[str, str]:
        return {
            "LANGSMITH_ENDPOINT": f"{url}/api/v1",
            "LANGSMITH_API_KEY": key,
            "LANGSMITH_TRACING": "true",
            **dict.fromkeys(AUTHORITIES, str(self.authority)),
        }

    def client(self) -> httpx.Client:
        """An HTTP client that comes in this way."""
        context = ssl.create_default_context(cafile=self.authority)
        return httpx.Client(
            base_url=self.url, proxy=self.proxy, verify=context, timeout=ANSWERS_WITHIN, trust_env=False
        )


def key(entrance: Entrance, kept: Path, kubeconfig: Path, namespace: str, release: str) -> str:
    """An API key of the organisation: the one made last if it is still good, else a new one.

    Args:
        entrance: The way in.
        kept: File that remembers it.
        kubeconfig: Leads to the cluster, whose Secret holds the first administrator's password.
        namespace: Of the release.
        release: Its name.

    Raises:
        EnvironmentFault: LangSmith does not answer, or does not know its own administrator.
        UsageError: There is no release, or it has no secret that would let anybody in.
    """
    try:
        with entrance.client() as client:
            if kept.exists() and _opens(client, found := kept.read_text(encoding="utf-8")):
                return found
            made = _make(client, _proof(client, kubeconfig, namespace, release))
    except (httpx.HTTPError, OSError, KeyError, ValueError) as error:
        raise EnvironmentFault(
            f"LangSmith gives no API key: {error or type(error).__name__}.", "kubectl -n langsmith get pods"
        ) from error
    write(kept, made)
    kept.chmod(0o600)
    return made


def _opens(client: httpx.Client, found: str) -> bool:
    answer = client.get("/api/v1/sessions", params={"limit": 1}, headers={"x-api-key": found})
    return answer.status_code not in REFUSED


def _make(client: httpx.Client, proof: dict[str, str]) -> str:
    answer = client.post("/api/v1/api-key", json={"description": DESCRIPTION}, headers=proof).raise_for_status()
    return str(answer.json()["key"])


def _proof(client: httpx.Client, kubeconfig: Path, namespace: str, release: str) -> dict[str, str]:
    """Headers that prove who asks: the first administrator, where passwords are used, else a service.

    Nobody can sign in with an identity provider here, for there is none.
    """
    config = Helm(kubeconfig, namespace).values(release).get("config") or {}
    basic = config.get("basicAuth") or {}
    email = config.get(EMAIL) or basic.get(EMAIL, "")
    kept = _Secrets(Access.read(kubeconfig), namespace)
    if basic.get("enabled") and email and (password := kept.first(PASSWORD)):
        login = client.post("/api/v1/login", auth=(email, password)).raise_for_status()
        return {"Authorization": f"Bearer {login.json()['access_token']}"}
    if not basic.get("enabled") and (shared := kept.first(SHARED)):
        return {"X-Service-Key": tokens.issue(shared, sub="hallmark")}
    raise UsageError("The release has no first administrator, so nobody can log in.", "hallmark twin reset")


class _Secrets:
    def __init__(self, access: Access, namespace: str) -> None:
        answer = once.call(access, "GET", f"/api/v1/namespaces/{namespace}/secrets", seconds=ANSWERS_WITHIN)
        self._all = [secret.get("data") or {} for secret in json.loads(answer)["items"]]

    def first(self, key: str) -> str:
        """The value of a key, in whichever Secret; empty if there is none."""
        return next((base64.b64decode(data[key]).decode() for data in self._all if data.get(key)), "")
