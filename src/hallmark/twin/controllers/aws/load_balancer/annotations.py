"""Annotations of an Ingress, read as the controller reads them.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "alb.ingress.kubernetes.io/"
DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"
"""What the controller takes without ``ssl-policy``: it still admits TLS 1.0."""
FINALIZER = "group.ingress.k8s.aws/"


class Unusable(Exception):
    """The model of a load balancer cannot be built; the message is the controller's own."""


class Annotations:
    """Settings of a group of Ingresses; where several set one, they must agree.

    Args:
        ingresses: Members of the group, in the controller's order.
    """

    def __init__(self, ingresses: Iterable[Mapping[str, Any]]) -> None:
        self._sets = [each["metadata"].get("annotations") or {} for each in ingresses]

    def text(self, name: str, default: str = "") -> str:
        """One setting.

        Raises:
            Unusable: Members of the group disagree.
        """
        found = {each[PREFIX + name] for each in self._sets if PREFIX + name in each}
        if len(found) > 1:
            raise Unusable(f"conflicting {name}: {sorted(found)}")
        return found.pop().strip() if found else default

    def list(self, name: str) -> list[str]:
        """A comma-separated setting; the members' lists are joined."""
        values = [value for each in self._sets for value in each.get(PREFIX + name, "").split(",")]
        return list(dict.fromkeys(value.strip() for value in values if value.strip()))

    def mapping(self, name: str) -> dict[str, str]:
        """A setting of the form ``a=b,c=d``."""
        pairs = (pair.partition("=") for pair in self.list(name))
        return {key.strip(): value.strip() for key, _, value in pairs}

    def number(self, name: str, default: int) -> int:
        """A whole number.

        Raises:
            Unusable: It is none.
        """
        text = self.text(name)
        if text and not text.isdigit():
            raise Unusable(f"failed to parse int64 annotation, {PREFIX}{name}: {text}")
        return int(text) if text else default

    def ports(self, *, secure: bool) -> dict[int, str]:
        """Listening ports and their protocols.

        Args:
            secure: Whether there is a certificate; then the default is 443, else 80.

        Raises:
            Unusable: The setting is not the JSON the controller wants.
        """
        text = self.text("listen-ports")
        if not text:
            return {443: "HTTPS"} if secure else {80: "HTTP"}
        try:
            return {int(port): protocol for entry in json.loads(text) for protocol, port in entry.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise Unusable(f"failed to parse listen-ports configuration: `{text}`") from error


def is_for_alb(ingress: Mapping[str, Any], classes: Mapping[str, str]) -> bool:
    """Whether the controller concerns itself with an Ingress.

    Args:
        ingress: The Ingress.
        classes: Controller by name of IngressClass.
    """
    legacy = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    if legacy is not None:
        return bool(legacy == "alb")
    return classes.get(ingress["spec"].get("ingressClassName", "")) == "ingress.k8s.aws/alb"
