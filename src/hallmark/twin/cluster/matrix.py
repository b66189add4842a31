"""Does it behave like Kubernetes? The same probes for any cluster, compared with what a real one answered.

``python -m hallmark.twin.cluster.matrix --kubeconfig FILE`` runs kubectl and plain requests against the cluster of the
current context, prints each difference on a line, and ends with 0 if there is none. The probes make objects in the
namespaces ``default``, ``lab1`` and ``probes`` and take them away again. They need a kubeconfig with a token.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hallmark.errors import Exit
from hallmark.twin.cluster.client import PATCHES, Answer, Client
from hallmark.waiting import until

PROBES = Path(__file__).with_name("matrix.yaml")
SECONDS = 30.0
TIMED_OUT = 124
"""Exit code of a command that was ended, as of ``timeout``."""


@dataclass(frozen=True)
class Difference:
    """A probe that was answered otherwise.

    Attributes:
        probe: Its name.
        expected: What a real cluster answers.
        observed: What this one answered.
    """

    probe: str
    expected: str
    observed: str

    def __str__(self) -> str:
        return f"{self.probe}: expected {self.expected}, observed {self.observed}"


class Matrix:
    """Runs the probes.

    Args:
        kubeconfig: Of the cluster.
        folder: For the manifests; kubectl's home.
        program: kubectl.
    """

    def __init__(self, kubeconfig: Path, folder: Path, program: str = "kubectl") -> None:
        self._probes = yaml.safe_load(PROBES.read_text())
        self._program = program
        self._kubeconfig = kubeconfig.resolve()
        self._environment = {"HOME": str(folder), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        self._files = {name: folder / f"{name}.yaml" for name in self._probes["manifests"]}
        for name, file in self._files.items():
            file.write_text(self._probes["manifests"][name])

    def run(self) -> Iterator[Difference]:
        """All probes, in their order."""
        self._clean()
        for probe in self._probes["kubectl"]:
            yield from self._kubectl(probe)
        with Client.of(self._kubeconfig) as client:
            for probe in self._probes["requests"]:
                yield from _request(client, probe)
        self._clean()

    def __len__(self) -> int:
        return len(self._probes["kubectl"]) + len(self._probes["requests"])

    def _clean(self) -> None:
        for command in self._probes["leftovers"]:
            self._run(command)

    def _kubectl(self, probe: Mapping[str, Any]) -> Iterator[Difference]:
        code, output = self._run(probe["run"], seconds=probe.get("seconds", SECONDS), editor=probe.get("editor", ""))
        if "into" in probe and code == 0:
            code, output = self._run(probe["into"], stdin=output)
        name = f"kubectl {probe['name']}"
        yield from _compared(name, "exit code", probe["expected"], code, output)
        if "output" in probe and output.strip() != probe["output"]:
            yield Difference(name, repr(probe["output"]), repr(output.strip()))

    def _run(self, command: str, *, stdin: str = "", seconds: float = SECONDS, editor: str = "") -> tuple[int, str]:
        words = [self._filled(word) for word in command.split()]
        try:
            finished = subprocess.run(
                [self._program, "--kubeconfig", str(self._kubeconfig), *words],
                env={**self._environment, "EDITOR": editor},
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT, ""
        return finished.returncode, finished.stdout

    def _filled(self, word: str) -> str:
        return str(self._files.get(word[1:-1], word)) if word[:1] == "{" else word


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix. Returns an exit code of :class:`hallmark.errors.Exit`."""
    parser = argparse.ArgumentParser(
        prog="hallmark.twin.cluster.matrix", description="Compare a cluster with Kubernetes."
    )
    parser.add_argument("--kubeconfig", type=Path, required=True, help="of the cluster; its user has a token")
    parser.add_argument("--kubectl", default="kubectl", help="the program")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        matrix = Matrix(options.kubeconfig, Path(folder), options.kubectl)
        differences = list(matrix.run())
    for difference in differences:
        sys.stdout.write(f"{difference}\n")
    sys.stdout.write(f"{len(matrix)} probes, {len(differences)} differences\n")
    return Exit.NOT_PASSED if differences else Exit.PASSED


def _request(client: Client, probe: Mapping[str, Any]) -> Iterator[Difference]:
    expected = _listed(probe["expected"])
    answers: list[Answer] = []

    def is_expected() -> bool:
        answers[:] = [_ask(client, probe)]
        return answers[0].code in expected

    until(is_expected, probe.get("patience", 0))
    answer = answers[0]
    name = f"request {probe['name']}"
    yield from _compared(name, "status", probe["expected"], answer.code, answer.body)
    for path, value in (probe.get("fields") or {}).items():
        if (found := _at(answer.body, path)) != value:
            yield Difference(name, f"{path} = {value!r}", repr(found))


def _ask(client: Client, probe: Mapping[str, Any]) -> Answer:
    method, _, path = probe["ask"].partition(" ")
    if "watch=" in path:
        answer = client.get(path)
        first = next(client.watch(path), {})
        return Answer(answer.code, first, answer.headers)
    headers = {"Content-Type": PATCHES[probe["type"]]} if "type" in probe else {}
    return client.ask(method, path, probe.get("body"), headers)


def _compared(name: str, what: str, expected: Any, observed: int, output: Any) -> Iterator[Difference]:
    allowed = _listed(expected)
    if observed not in allowed:
        said = " ".join(str(output).split())[:200]
        yield Difference(name, f"{what} {' or '.join(map(str, allowed))}", f"{observed}: {said}")


def _listed(expected: Any) -> list[int]:
    return expected if isinstance(expected, list) else [expected]


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


if __name__ == "__main__":
    sys.exit(main())
