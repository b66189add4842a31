"""The catalogue of images: names, tags, programs and words."""

import pytest

from hallmark.twin.kubelet.images import SHELL, Catalogue, PullFailed

CATALOGUE = Catalogue.read()
BACKEND = "docker.io/langchain/langsmith-backend:0.16.45"


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1", "docker.io/library/busybox:1"),
        ("docker.io/busybox:1.36", "docker.io/library/busybox:1.36"),
        ("langchain/langsmith-frontend:0.16.45", "docker.io/langchain/langsmith-frontend:0.16.45"),
        ("docker.io/postgres:14.7", "docker.io/library/postgres:14.7"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        (
            "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/coredns:v1.11.4-eksbuild.2",
            "602401143452.dkr.ecr.us-east-1.amazonaws.com/eks/coredns:v1.11.4-eksbuild.2",
        ),
        (f"busybox@sha256:{'a' * 64}", f"docker.io/library/busybox@sha256:{'a' * 64}"),
    ],
)
def test_names(reference: str, name: str) -> None:
    """Names are completed as containerd does."""
    assert CATALOGUE.pull(reference).name == name


@pytest.mark.parametrize(
    ("reference", "reason", "words"),
    [
        (
            "nginx:9.99",
            "ErrImagePull",
            'code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:9.99"',
        ),
        ("nginx:9.99", "ErrImagePull", "docker.io/library/nginx:9.99: not found"),
        (
            "langchain/langsmith-backend:0.99.0",
            "ErrImagePull",
            "docker.io/langchain/langsmith-backend:0.99.0: not found",
        ),
        ("no/such", "ErrImagePull", "pull access denied, repository does not exist or may require authorization"),
        ("quay.io/no/such:1", "ErrImagePull", "quay.io/no/such:1: not found"),
        ("registry.local/x:1", "ErrImagePull", "dial tcp: lookup registry.local: no such host"),
        ("Not An Image", "InvalidImageName", "invalid reference format"),
    ],
)
def test_refusals(reference: str, reason: str, words: str) -> None:
    """What is not in the catalogue is refused in the runtime's words."""
    with pytest.raises(PullFailed) as caught:
        CATALOGUE.pull(reference)
    assert caught.value.reason == reason
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("container", "command", "role"),
    [
        ("langsmith-backend", ["./entrypoint.sh"], "backend"),
        ("langsmith-platform-backend", ["smith_go_entrypoint.sh"], "platform-backend"),
        ("langsmith-queue", ["./queue_entrypoint.sh"], "queue"),
        ("langsmith-ingest-queue", ["asynq_worker_entrypoint.sh"], "ingest-queue"),
        ("langsmith-playground", ["smith_playground_entrypoint.sh"], "playground"),
        ("migrations", ["./pg_migration_entrypoint.sh"], "migrations"),
        ("ch-migrations", ["./ch_migration_entrypoint.sh"], "ch-migrations"),
        ("auth-bootstrap", ["./auth_bootstrap_entrypoint.sh"], "auth-bootstrap"),
        ("e2e-test", ["python", "scripts/test_e2e_trace.pyc"], "e2e-test"),
        ("backfill-check", ["./backfill_check_entrypoint.sh"], "backfill-check"),
    ],
)
def test_roles(container: str, command: list[str], role: str) -> None:
    """One image is many workloads: the container's name and command decide."""
    program = CATALOGUE.pull(BACKEND).program(container, command)

    assert (program.module, program.settings["role"]) == ("hallmark.twin.platform.main", role)
    assert program.settings["version"] == "0.16.45"


def test_shell_scripts_that_start_the_program() -> None:
    """A shell that only executes the entry point is the program itself."""
    program = CATALOGUE.pull("clickhouse/clickhouse-server:25.12").program(
        "clickhouse", ["/bin/bash", "-c", "exec /entrypoint.sh"]
    )

    assert program.module == "hallmark.twin.stores.clickhouse.pod"


@pytest.mark.parametrize(
    ("image", "command", "missing"),
    [
        (BACKEND, ["/bin/false"], ""),
        (BACKEND, ["rm", "-rf", "/"], "rm"),
        ("busybox", ["python3", "-c", "print()"], "python3"),
        ("busybox", ["/usr/bin/env"], ""),
        ("busybox", ["/opt/sh"], "/opt/sh"),
        ("busybox", ["exit", "1"], "exit"),
        ("busybox", [], ""),
    ],
)
def test_other_commands(image: str, command: list[str], missing: str) -> None:
    """Any other command is for the shell, which has few files to execute."""
    program = CATALOGUE.pull(image).program("c", command)

    assert program.module == SHELL
    assert program.missing(command) == missing


def test_images_without_a_shell() -> None:
    """Distroless images have no shell to run anything with."""
    program = CATALOGUE.pull("registry.k8s.io/autoscaling/cluster-autoscaler:v1.35.0").program(
        "autoscaler", ["./cluster-autoscaler"]
    )

    assert program.module == "hallmark.twin.programs.addon"
    assert "sh" not in program.commands
