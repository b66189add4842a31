"""S3: large payloads, under a prefix of their time to live."""

import threading
import time
from urllib.parse import quote

from hallmark.twin.programs.container import Container
from hallmark.twin.programs.langsmith.blob import FORBIDDEN, MOVED, NOT_FOUND, Keys, Service, keys_of, region_of, tag
from hallmark.twin.programs.langsmith.stores import Trouble

KEYS_LAST = 45 * 60.0
"""Seconds for which credentials of a role are used; they are good for an hour."""


class Bucket:
    """The application's bucket.

    Args:
        container: Who uses it.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._name = container.environment.get("S3_BUCKET_NAME", "")
        region = region_of(container.environment.get("S3_API_URL", ""))
        self._service = Service(container, "s3", region)
        self._keys: tuple[float, Keys] | None = None
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        """Write an object.

        Raises:
            Trouble: In the SDK's words.
        """
        self._call("PutObject", "PUT", key, content)

    def get(self, key: str) -> bytes:
        """Read an object.

        Raises:
            Trouble: In the SDK's words.
        """
        return self._call("GetObject", "GET", key)

    def delete(self, key: str) -> None:
        """Remove an object.

        Raises:
            Trouble: In the SDK's words.
        """
        self._call("DeleteObject", "DELETE", key)

    def _call(self, operation: str, method: str, key: str, content: bytes = b"") -> bytes:
        if not self._name:
            raise Trouble("S3_BUCKET_NAME is not set")
        path = f"/{self._name}/{quote(key)}"
        headers = {"Content-Type": "application/json"} if content else {}
        status, _, answer = self._service.send(method, path, self._credentials(), content, headers)
        if status in {400, FORBIDDEN}:  # the role's keys may have ended: once more with fresh ones
            self._keys = None
            status, _, answer = self._service.send(method, path, self._credentials(), content, headers)
        if status >= 300:  # noqa: PLR2004  (HTTP)
            raise Trouble(_words(operation, status, answer.decode("utf-8", "replace")))
        return answer

    def _credentials(self) -> Keys:
        with self._lock:
            now = time.monotonic()
            if self._keys is None or now > self._keys[0]:
                self._keys = now + KEYS_LAST, keys_of(self._container)
            return self._keys[1]


def _words(operation: str, status: int, answer: str) -> str:
    usual = {FORBIDDEN: "AccessDenied", NOT_FOUND: "NoSuchKey", MOVED: "PermanentRedirect"}.get(status, "InternalError")
    code, said = tag(answer, "Code") or usual, tag(answer, "Message") or "Access Denied"
    return f"operation error S3: {operation}, https response error StatusCode: {status}, {code}: {said}"
