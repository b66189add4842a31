"""One call to the Kubernetes API without an event loop, for commands that ask and go on."""

import urllib.request

from hallmark.twin.kube.access import Access


def call(access: Access, method: str, path: str, content: bytes | None = None, *, seconds: float) -> bytes:
    """Make one call and return the answer's body.

    Args:
        access: How the cluster is reached.
        method: HTTP method.
        path: For example ``/api/v1/pods``.
        content: JSON to send.
        seconds: How long to wait.

    Raises:
        urllib.error.HTTPError: The API refused.
        OSError: It does not answer.
    """
    headers = {"Content-Type": "application/json"}
    if access.token:
        headers["Authorization"] = f"Bearer {access.token}"
    # A kubeconfig's server is always https; a file of this machine cannot be meant.
    request = urllib.request.Request(access.server + path, data=content, method=method, headers=headers)  # noqa: S310
    https = urllib.request.HTTPSHandler(context=access.tls)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
    with opener.open(request, timeout=seconds) as answer:
        body: bytes = answer.read()
        return body
