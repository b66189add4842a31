"""The second step of a deployment: what runs in the cluster, by the same `kubectl` and Helm a person would use."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hallmark.errors import AuthorError, EnvironmentFault
from hallmark.twin.files import write
from hallmark.twin.release import locate, values
from hallmark.twin.release.helm import Helm, How, Values
from hallmark.twin.terraform import Progress
from hallmark.waiting import until

NAMESPACE = RELEASE = "langsmith"
TEMPLATE = "files/values.template.yaml"
MANIFESTS = "files/manifests"
PATIENCE = 300.0
"""Seconds for the whole release on a slow machine; a fast one needs a tenth."""
CODE = ("cluster", "controllers", "kube", "kubelet", "platform", "programs", "release", "stores")
"""Packages whose change makes a kept deployment unfit."""


def recipe(root: Path) -> Path:
    """The folder of the solution that installs the release.

    Raises:
        AuthorError: There is none, or more than one.
    """
    found = [template.parents[1] for template in root.glob(f"solutions/*/{TEMPLATE}")]
    if len(found) != 1:
        raise AuthorError(f"{len(found)} solutions hold {TEMPLATE}; there has to be one.")
    return found[0]


def digest(root: Path) -> str:
    """What a kept deployment was made with: values, manifests, chart, and the code that carries them out."""
    found = hashlib.sha256()
    own = Path(__file__).parent
    files = [file for package in CODE for file in (own / package).rglob("*")] + list(
        (recipe(root) / "files").rglob("*")
    )
    for file in sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts):
        found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


class Deployment:
    """LangSmith in the cluster of a twin.

    Args:
        root: The clone of the repository.
        work: Where rendered values and manifests go.
        kubeconfig: Leads to the cluster.
    """

    def __init__(self, root: Path, work: Path, kubeconfig: Path) -> None:
        self._root = root
        self._work = work
        self._kubeconfig = kubeconfig

    def install(self, outputs: Mapping[str, Any], progress: Progress) -> None:
        """Apply the manifests, install the release and wait until it answers.

        Args:
            outputs: Of Terraform.
            progress: Is told one line for each step.

        Raises:
            UsageError: A chart is named that does not exist.
            EnvironmentFault: Something did not get ready; the message names it.
        """
        chart = locate.locate()
        progress("Waiting for nodes and add-ons.")
        self._await_addons()
        progress("Applying the storage class, the secret store and the external secrets.")
        self._kubectl("apply", "-f", str(self._render(outputs)))
        self._wait("externalsecret", "--all", "Ready")
        progress("Installing the release with Helm.")
        text = values.render((recipe(self._root) / TEMPLATE).read_text(encoding="utf-8"), outputs)
        write(self._work / "values.yaml", text)
        helm = Helm(self._kubeconfig, NAMESPACE)
        helm.upgrade(RELEASE, chart, Values(files=(text,)), How(wait=True, timeout=PATIENCE))
        progress("Waiting for the load balancer.")
        self._await_balancer()

    def remove(self, progress: Progress) -> None:
        """Uninstall the release and what it stands on, so that nothing of it is left in AWS."""
        if self._kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name"):
            progress("Removing the release: its load balancer and volumes go with it.")
            helm = Helm(self._kubeconfig, NAMESPACE)
            if any(each.name == RELEASE for each in helm.releases()):
                helm.uninstall(RELEASE, How(wait=True, timeout=PATIENCE))
            self._kubectl("delete", "namespace", NAMESPACE, f"--timeout={PATIENCE:.0f}s")

    def _render(self, outputs: Mapping[str, Any]) -> Path:
        folder = self._work / "manifests"
        shutil.rmtree(folder, ignore_errors=True)
        for file in sorted((recipe(self._root) / MANIFESTS).glob("*.yaml")):
            write(folder / file.name, values.render(file.read_text(encoding="utf-8"), outputs))
        return folder

    def _await_addons(self) -> None:
        """Without the definitions what is applied next is refused; without the webhook pods get no identity."""
        wanted = ("crd/externalsecrets.external-secrets.io", "mutatingwebhookconfiguration/pod-identity-webhook")
        if not until(lambda: all(self._get(what) for what in wanted), PATIENCE, pause=0.3):
            raise EnvironmentFault("the cluster's add-ons did not appear.", "hallmark twin status")
        self._kubectl("wait", "--for=condition=Ready", "node", "--all", f"--timeout={PATIENCE:.0f}s")
        for namespace in ("kube-system", "external-secrets"):
            self._wait("deployment", "--all", "Available", namespace)

    def _await_balancer(self) -> None:
        path = "jsonpath={.items[*].status.loadBalancer.ingress[*].hostname}"
        if not until(lambda: self._kubectl("get", "ingress", "-n", NAMESPACE, "-o", path), PATIENCE, pause=0.3):
            said = self._kubectl("get", "events", "-n", NAMESPACE, "--field-selector", "type=Warning", "-o", "name")
            raise EnvironmentFault(
                f"the Ingress got no load balancer: {said}.", f"kubectl describe ingress -n {NAMESPACE}"
            )

    def _wait(self, kind: str, which: str, condition: str, namespace: str = NAMESPACE) -> None:
        until(lambda: self._get(kind, "-n", namespace), PATIENCE, pause=0.3)
        timeout = f"--timeout={PATIENCE:.0f}s"
        self._kubectl("wait", f"--for=condition={condition}", kind, which, "-n", namespace, timeout)

    def _get(self, *what: str) -> str:
        return self._kubectl("get", *what, "--ignore-not-found", "-o", "name", quietly=True)

    def _kubectl(self, *arguments: str, quietly: bool = False) -> str:
        command = [kubectl(), "--kubeconfig", str(self._kubeconfig), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE + 10, check=False)
        if done.returncode and not quietly:
            raise EnvironmentFault(f"kubectl {arguments[0]}: {done.stderr.strip()[-300:]}", "hallmark twin status")
        return done.stdout.strip() if not done.returncode else ""


def kubectl() -> str:
    """The person's own ``kubectl``, else the one that comes with the twin's packages.

    Raises:
        EnvironmentFault: There is none.
    """
    beside = Path(sys.executable).parent / "kubectl"
    found = shutil.which("kubectl") or (str(beside) if os.access(beside, os.X_OK) else None)
    if found is None:
        raise EnvironmentFault("kubectl is missing.", 'python -m pip install -e ".[twin]"')
    return found
