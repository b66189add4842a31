"""Objects the tests of the schema-driven rules start from."""

from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.schema import defaults, definitions
from hallmark.twin.cluster.schema.definitions import Schema

Json = dict[str, Any]
Make = Callable[..., Json]


@pytest.fixture(scope="session")
def deployments() -> Schema:
    """Schema of Deployments."""
    return known("apps", "v1", "Deployment")


@pytest.fixture
def deployment() -> Make:
    """Make a Deployment with two containers; its defaults are filled in unless ``bare`` is set."""

    def make(*, bare: bool = False, **spec: Any) -> Json:
        labels = {"app": "web"}
        containers = [
            {
                "name": "web",
                "image": "nginx:1.27",
                "ports": [{"containerPort": 80}],
                "env": [{"name": "A", "value": "1"}],
            },
            {"name": "side", "image": "busybox"},
        ]
        template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": containers}}
        made = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "labels": dict(labels)},
            "spec": {"replicas": 2, "selector": {"matchLabels": dict(labels)}, "template": template, **spec},
        }
        if not bare:
            defaults.apply("apps", "Deployment", made)
        return made

    return make


def known(group: str, version: str, kind: str) -> Schema:
    """The schema of a kind that there is."""
    schema = definitions.builtin(group, version, kind)
    assert schema is not None
    return schema
