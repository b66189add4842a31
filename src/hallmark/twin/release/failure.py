"""Which of Helm's failures a person can mend in a values file, and which are the environment's."""

from hallmark.errors import EnvironmentFault, HallmarkError, UsageError

ENVIRONMENT = frozenset({"HelmKubeError", "HelmStorageError", "HelmRegistryError", "HelmRepoError", "HelmIOError"})
BROKEN = frozenset({"HelmPanicError", "HelmLibraryError", "HelmUnknownError"})
UNREACHABLE = (
    "cluster unreachable",
    "connection refused",
    "no such host",
    "i/o timeout",
    "x509:",
    "unauthorized",
    "the server has asked for the client to provide credentials",
)
LATE = ("context deadline exceeded", "timed out waiting", "context canceled")


def failure(message: str, kind: str = "") -> HallmarkError:
    """The error a message of Helm is.

    Args:
        message: In Helm's words.
        kind: Name of the SDK's exception, if it was the SDK.
    """
    words = message.strip()
    low = words.lower()
    if any(part in low for part in UNREACHABLE):
        return EnvironmentFault(words, "is the twin up? hallmark twin status; is KUBECONFIG right? kubectl version")
    if kind == "HelmCancelledError" or any(part in low for part in LATE):
        return EnvironmentFault(words, "kubectl get pods; kubectl get events --sort-by=.lastTimestamp")
    if kind in ENVIRONMENT | BROKEN:
        return EnvironmentFault(words)
    return UsageError(words)
