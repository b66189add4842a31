"""Blob storage with the role of the pod's service account: what the AWS SDK does, and how it complains.

The credentials chain and the signature are the SDK's (AWS documentation, "Signature Version 4"); the answers come from
the emulated AWS, if there is a way to it. What is asked of the bucket is a HEAD, for which the application's role has
``s3:ListBucket``.
"""

import hashlib
import hmac
import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from hallmark.twin.programs import dependencies
from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.stores import Trouble

NO_CREDENTIALS = (
    "failed to refresh cached credentials, no EC2 IMDS role found, operation error ec2imds: GetMetadata, "
    "canceled, context deadline exceeded: Unable to locate credentials"
)
NOT_FOUND, FORBIDDEN, MOVED = 404, 403, 301
HTTPS = 443
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Keys:
    """Credentials."""

    access: str
    secret: str
    session: str = ""


def enabled(environment: Mapping[str, str]) -> bool:
    """Whether the application keeps blobs in S3."""
    return environment.get("FF_BLOB_STORAGE_ENABLED", "").lower() == "true"


def check(container: Container) -> None:
    """Use the bucket as the application would for a large payload.

    Raises:
        Trouble: It does not work; the message is the SDK's.
    """
    environment = container.environment
    keys = keys_of(container)
    bucket = environment.get("S3_BUCKET_NAME", "")
    if not bucket:
        raise Trouble("S3_BUCKET_NAME is not set")
    region = region_of(environment.get("S3_API_URL", ""))
    status, headers, _ = Service(container, "s3", region).call("HEAD", f"/{bucket}", keys)
    home = headers.get("x-amz-bucket-region") or region
    if status == NOT_FOUND:
        raise Trouble(f"operation error S3: PutObject, NoSuchBucket: The specified bucket does not exist: {bucket}")
    if status == MOVED or home != region:
        raise Trouble(
            "operation error S3: PutObject, AuthorizationHeaderMalformed: The authorization header is malformed; "
            f"the region '{region}' is wrong; expecting '{home}' (PermanentRedirect)"
        )
    if status >= 400:  # noqa: PLR2004  (HTTP)
        raise Trouble(
            "operation error S3: PutObject, https response error StatusCode: 403, AccessDenied: Access Denied"
        )


def keys_of(container: Container) -> Keys:
    """Credentials, from where the SDK's chain finds them first.

    Raises:
        Trouble: There are none.
    """
    environment = container.environment
    access, secret = environment.get("S3_ACCESS_KEY", ""), environment.get("S3_ACCESS_KEY_SECRET", "")
    if access and secret:
        return Keys(access, secret)
    role, file = environment.get("AWS_ROLE_ARN", ""), environment.get("AWS_WEB_IDENTITY_TOKEN_FILE", "")
    if role and file:
        return _assume(container, role, _token(container, file))
    if file := environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ""):
        return _from_agent(container, _token(container, file))
    raise Trouble(NO_CREDENTIALS)


def _token(container: Container, file: str) -> str:
    try:
        return container.path(file).read_text(encoding="utf-8")
    except OSError:
        raise Trouble(f"failed to retrieve jwt from provide source, unable to read file at {file}") from None


def _from_agent(container: Container, token: str) -> Keys:
    # EKS Pod Identity: the node's agent gives credentials to whoever shows the pod's token.
    answer = dependencies.ask(container, "credentials", token=token)
    if answer["outcome"] != "connected":
        said = answer.get("message") or "dial tcp 169.254.170.23:80: connect: connection refused"
        raise Trouble(f"failed to refresh cached credentials, failed to load credentials, {said}")
    return Keys(answer["AccessKeyId"], answer["SecretAccessKey"], answer["Token"])


def _assume(container: Container, role: str, token: str) -> Keys:
    form = {
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role,
        "RoleSessionName": "langsmith", "WebIdentityToken": token,
    }  # fmt: skip
    service = Service(container, "sts", container.environment.get("AWS_REGION", _DEFAULT_REGION))
    status, _, answer = service.call("POST", "/", body=urlencode(form))
    if status != 200:  # noqa: PLR2004  (HTTP)
        code, said = tag(answer, "Code") or "InternalFailure", tag(answer, "Message")
        raise Trouble(f"operation error STS: AssumeRoleWithWebIdentity, StatusCode: {status}, {code}: {said}")
    return Keys(tag(answer, "AccessKeyId"), tag(answer, "SecretAccessKey"), tag(answer, "SessionToken"))


@dataclass(frozen=True)
class Service:
    """One service of the emulated AWS, called as the SDK calls it; each call is a connection of its own."""

    container: Container
    name: str
    region: str

    def call(
        self, method: str, path: str, keys: Keys | None = None, body: str = ""
    ) -> tuple[int, Mapping[str, str], str]:
        """Make one call: status, headers with names in small letters, and the answer."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        status, given, answer = self.send(method, path, keys, body.encode(), headers)
        return status, given, answer.decode("utf-8", "replace")

    def send(
        self, method: str, path: str, keys: Keys | None, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Make one call with a body of any kind; the path is quoted already and has no query.

        Raises:
            Trouble: There is no way to the service, or it hangs up.
        """
        host = f"{self.name}.{self.region}.amazonaws.com"
        signed = self._signature(method, path, keys, host, body) if keys else {}
        try:
            route = dependencies.connect(self.container, host, HTTPS)
        except dependencies.Unreachable as error:
            raise Trouble(f"{self._sending(method, host, path)}{_words(error, host)}") from None
        connection = http.client.HTTPConnection(route.address, route.port, timeout=30)
        try:
            connection.request(method, path, body or None, {"Host": host, **headers, **signed})
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
        except (OSError, http.client.HTTPException):
            reset = f"read tcp {route.ip}:{HTTPS}: connection reset by peer"
            raise Trouble(f"{self._sending(method, host, path)}{reset}") from None
        finally:
            connection.close()

    def _sending(self, method: str, host: str, path: str) -> str:
        # The SDK for Go: net/http names the method in its own way, and the URL.
        sent = f'{method.capitalize()} "https://{host}{path}"'
        return f"operation error {self.name.upper()}: request send failed, {sent}: "

    def _signature(self, method: str, path: str, keys: Keys, host: str, body: bytes) -> dict[str, str]:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        content = hashlib.sha256(body).hexdigest()
        signed = {"host": host, "x-amz-content-sha256": content, "x-amz-date": moment}
        if keys.session:
            signed["x-amz-security-token"] = keys.session
        names = ";".join(signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
        canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{content}"
        scope = f"{moment[:8]}/{self.region}/{self.name}/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{keys.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        del signed["host"]
        credential = f"Credential={keys.access}/{scope}"
        signed["Authorization"] = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
        return signed


def _words(error: dependencies.Unreachable, host: str) -> str:
    if error.outcome == dependencies.UNKNOWN_HOST:
        return f"dial tcp: lookup {host}: no such host"
    why = {dependencies.TIMED_OUT: "i/o timeout"}.get(error.outcome, "connect: connection refused")
    return f"dial tcp {error.ip or host}:{HTTPS}: {why}"


def region_of(url: str) -> str:
    """The region in an endpoint's URL."""
    found = re.search(r"s3[.-](?:dualstack\.)?([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com", url)
    return found[1] if found else _DEFAULT_REGION


def tag(xml: str, name: str) -> str:
    """Content of an element of an answer, or nothing."""
    # The answer of one known operation; the emulated AWS sends no nested tags of these names.
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return found[1].strip() if found else ""
