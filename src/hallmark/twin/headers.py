"""Headers of HTTP that pass a proxy."""

from collections.abc import Mapping

from multidict import CIMultiDict

HOP_BY_HOP = frozenset({
    "connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host", "authorization",
    "content-length",
})  # fmt: skip


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that are not about one connection alone."""
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)
